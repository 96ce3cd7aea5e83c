"""The Helm values of the official Jenkins chart, from settings and addresses: plain data without secrets.

Traps: the chart's own admin account is off, because its password would be in a Secret that Helm creates. A plugin that
is in both lists of plugins stops the installation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.delivery import PlatformSource
from components.gateway.settings import IapClientSettings
from components.jenkins import agent_values, gateway_values, jcasc, metrics, names, pods, reload, secrets, sizes, tokens
from components.jenkins.job_documents import JobDefinitions
from components.jenkins.registry import Addresses, Images, Signing
from components.jenkins.settings import JenkinsSettings
from components.versions import CHART_PLUGINS, PLUGINS

_CONTAINER = {
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
_POD = {
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "fsGroup": 1000,
    "fsGroupChangePolicy": "OnRootMismatch",
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def helm_values(
    settings: JenkinsSettings,
    addresses: Addresses,
    source: PlatformSource,
    jobs: JobDefinitions,
    environments: Sequence[str] = (),
    signing: Signing | None = None,
    *,
    iap_client: IapClientSettings | None = None,
) -> dict[str, Any]:
    """All values for the chart.

    `environments` are those that a release reaches, in order; releases are signed if there is `signing`.
    """
    images = Images(addresses.docker_hub, settings.images)
    return {
        "fullnameOverride": "jenkins",
        # Empty: Jenkins discovers the API server and its certificate, even if a cloud has its own credential.
        "kubernetesURL": "",
        "controller": _controller(
            settings, images, jcasc.scripts(settings, addresses, source, jobs, environments, signing)
        ),
        "agent": agent_values.builders(settings, images),
        "additionalAgents": agent_values.templates(settings, images),
        "additionalClouds": agent_values.restricted_clouds(settings, images),
        "persistence": {
            "existingClaim": names.HOME_CLAIM,
            "volumes": [secrets.volume(), reload.volume()],
            "mounts": [secrets.mount()],
        },
        "networkPolicy": {
            "enabled": False
        },  # the chart's policy opens 8080 to everyone; the component declares its own
        "rbac": {"create": True, "readSecrets": False},  # credentials come from mounted files
        "serviceAccount": {"name": names.CONTROLLER_ACCOUNT},
        "serviceAccountAgent": {"create": False, "name": names.AGENT_ACCOUNT},
        "extraObjects": {
            "secrets": secrets.provider_class(settings, addresses.project),
            **tokens.objects(settings.targets()),
            **reload.objects(),
            **metrics.collection(),
            **(gateway_values.objects(settings.gateway, iap_client) if settings.gateway is not None else {}),
        },
    }


def _controller(settings: JenkinsSettings, images: Images, scripts: dict[str, str]) -> dict[str, Any]:
    size = settings.controller
    values: dict[str, Any] = {
        "image": {**images.parts("controller").values(), "pullPolicy": "IfNotPresent"},
        "numExecutors": 0,
        "executorMode": "EXCLUSIVE",
        "admin": {"createSecret": False},
        # A secret that cannot be read stops the start; without this setting it would be an empty password.
        "containerEnv": [{"name": "CASC_STRICT_SECRET_RESOLUTION", "value": "true"}, reload.variable()],
        "jenkinsUrl": settings.url,
        "jenkinsAdminEmail": settings.admins[0],
        "resources": sizes.controller(size.cpu, size.memory),
        "initContainerResources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        "javaOpts": "-XX:MaxRAMPercentage=60 -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError " + reload.JAVA_OPTION,
        "podSecurityContextOverride": _POD,
        "containerSecurityContext": _CONTAINER,
        # The first start loads plugins and jobs: it has ten minutes.
        "probes": {"startupProbe": {"failureThreshold": 60}, "livenessProbe": {"failureThreshold": 6}},
        "podAnnotations": agent_values.NOT_EVICTED,
        "priorityClassName": names.CONTROLLER_PRIORITY,
        "terminationGracePeriodSeconds": 60,
        "agentListenerEnabled": False,  # agents connect over HTTP, so there is only one port to protect
        # Without this, plugins on the home volume win over those of the values, after an upgrade and after a rollback.
        "overwritePlugins": True,
        "installLatestPlugins": False,  # dependencies keep the versions that the pinned plugins were released with
        "installPlugins": list(CHART_PLUGINS),
        "additionalPlugins": list(PLUGINS),
        "additionalExistingSecrets": tokens.mounts(settings.targets()),
        "JCasC": {
            "defaultConfig": True,
            "overwriteConfiguration": True,
            "security": jcasc.security(),
            "securityRealm": jcasc.security_realm(settings),
            "authorizationStrategy": jcasc.authorization(settings),
            "configScripts": scripts,
        },
        "sidecars": {
            "configAutoReload": {
                "image": images.parts("reloader").values(),
                "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
                "containerSecurityContext": _CONTAINER,
                **reload.reloader(),
            }
        },
        "testEnabled": False,
        **pods.placement(size.pool),
    }
    if settings.gateway is not None:
        values["httpRoute"] = gateway_values.route(settings.gateway, settings.hostname)
    return values
