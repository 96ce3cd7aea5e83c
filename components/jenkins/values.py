"""The Helm values of the official Jenkins chart, from settings and addresses alone: plain data, no secret in it.

Traps: the chart's own admin account is off: its password would be in a Secret that Helm makes. A plugin in both lists
stops the chart.
The chart merges a further cloud into the first one's values and takes an empty value for one that is missing, so a
deploy cloud states everything, and what differs between the clouds is never empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.delivery import PlatformSource
from components.jenkins import jcasc, names, pods, secrets, sizes, stores
from components.jenkins.documents import as_yaml
from components.jenkins.jobs import Job
from components.jenkins.registry import Addresses, Images
from components.jenkins.settings import JenkinsSettings, pod_of
from components.jenkins.targets import TargetSettings
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
_NOT_EVICTED = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}

# A node pool that grows from nothing takes minutes; the chart's 100 s would end the agent before that.
_START_SECONDS = 900


def helm_values(
    settings: JenkinsSettings,
    addresses: Addresses,
    source: PlatformSource,
    jobs: Sequence[Job] = (),
    environments: Sequence[str] = (),
) -> dict[str, Any]:
    """All values that are given to the chart.

    `jobs` are those that the folder `platform` offers, `environments` those that a release reaches, in order.
    """
    images = Images(addresses.docker_hub, settings.images)
    values: dict[str, Any] = {
        "fullnameOverride": "jenkins",
        # Empty: Jenkins finds the API server and its certificate by itself, also where a cloud has its own credential.
        "kubernetesURL": "",
        "controller": _controller(settings, images, jcasc.scripts(settings, addresses, source, jobs, environments)),
        "agent": _builders(settings, images),
        "additionalAgents": _templates(settings, images),
        "additionalClouds": {
            cloud: _restricted_cloud(settings, images, cloud, target) for cloud, target in settings.targets().items()
        },
        "persistence": {"existingClaim": names.HOME_CLAIM, **secrets.persistence()},
        "networkPolicy": {"enabled": False},  # the chart's opens 8080 to everyone; the component brings its own
        "rbac": {"create": True, "readSecrets": False},  # credentials come from mounted files
        "serviceAccount": {"name": names.CONTROLLER_ACCOUNT},
        "serviceAccountAgent": {"create": False, "name": names.AGENT_ACCOUNT},
        "extraObjects": {
            "secrets": secrets.provider_class(settings, addresses.project),
            **(_behind_gateway() if settings.gateway is not None else {}),
        },
    }
    return values


def _controller(settings: JenkinsSettings, images: Images, scripts: dict[str, str]) -> dict[str, Any]:
    size = settings.controller
    tokens = [{"name": names.scheduler_account(key), "keyName": "token"} for key in settings.targets()]
    values: dict[str, Any] = {
        "image": {**images.parts("controller").values(), "pullPolicy": "IfNotPresent"},
        "numExecutors": 0,
        "executorMode": "EXCLUSIVE",
        "admin": {"createSecret": False},
        # A value that cannot be read stops the start; without this it would be an empty password.
        "containerEnv": [{"name": "CASC_STRICT_SECRET_RESOLUTION", "value": "true"}],
        "jenkinsUrl": settings.url,
        "jenkinsAdminEmail": settings.admins[0],
        "resources": sizes.controller(size.cpu, size.memory),
        "initContainerResources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        "javaOpts": "-XX:MaxRAMPercentage=60 -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError",
        "podSecurityContextOverride": _POD,
        "containerSecurityContext": _CONTAINER,
        # Plugins and jobs are loaded at the first start: ten minutes before it is given up.
        "probes": {"startupProbe": {"failureThreshold": 60}, "livenessProbe": {"failureThreshold": 6}},
        "podAnnotations": _NOT_EVICTED,
        "priorityClassName": names.CONTROLLER_PRIORITY,
        "terminationGracePeriodSeconds": 60,
        "agentListenerEnabled": False,  # agents call over HTTP; there is one port to guard
        "installLatestPlugins": False,  # dependencies stay what the pinned plugins were released with
        "installPlugins": list(CHART_PLUGINS),
        "additionalPlugins": list(PLUGINS),
        "additionalExistingSecrets": tokens,
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
            }
        },
        "googlePodMonitor": {"enabled": True, "scrapeEndpoint": "/prometheus/"},
        "testEnabled": False,
        **pods.placement(size.pool),
    }
    if settings.gateway is not None:
        values["httpRoute"] = _route(settings)
    return values


def _builders(settings: JenkinsSettings, images: Images) -> dict[str, Any]:
    """The builders' cloud and its template `base`."""
    return {
        "namespace": names.AGENTS_NAMESPACE,
        "serviceAccount": names.AGENT_ACCOUNT,
        "image": images.parts("agent").values(),
        "websocket": True,
        "podName": "base",
        "defaultsProviderTemplate": "base",
        "customJenkinsLabels": ["base"],
        "containerCap": settings.max_agents,
        # Each running step of a container is a connection; the chart's 32 would leave steps of other builds waiting.
        "maxRequestsPerHostStr": str(max(64, 2 * settings.max_agents)),
        "connectTimeout": _START_SECONDS,
        "waitForPodSec": _START_SECONDS,
        "idleMinutes": 0,  # a new pod for each build
        "podRetention": "Never",
        "showRawYaml": False,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "restrictedPssSecurityContext": False,  # would break BuildKit; the templates harden every other container
        "garbageCollection": {"enabled": True, "namespaces": names.TESTS_NAMESPACE, "timeout": 300},
        "annotations": _NOT_EVICTED,
        "resources": sizes.AGENT,
        "yamlMergeStrategy": "merge",
        "inheritYamlMergeStrategy": True,
        "yamlTemplate": as_yaml({"spec": pods.base(settings.agent_pool)}),
    }


def _templates(settings: JenkinsSettings, images: Images) -> dict[str, Any]:
    """`build`, `test` and one template for each data store: a pipeline inherits from "test store-postgres"."""
    tests = {"namespace": names.TESTS_NAMESPACE, "serviceAccount": names.TEST_ACCOUNT}
    made = {"build": _template("build", pods.build(images, settings.builds)), "test": _template("test", {}, **tests)}
    for store in settings.stores:
        name = f"store-{store}"
        made[name] = _template(name, stores.sidecar(store, images[store]), **tests)
    return made


def _template(name: str, spec: dict[str, Any], **fields: str) -> dict[str, Any]:
    return {
        "podName": name,
        "customJenkinsLabels": [name],
        "nodeUsageMode": "EXCLUSIVE",  # only for builds that ask for it
        **fields,
        "yamlTemplate": as_yaml({"spec": spec}),
    }


def _restricted_cloud(settings: JenkinsSettings, images: Images, cloud: str, target: TargetSettings) -> dict[str, Any]:
    """A cloud that only jobs of the platform's folders may use, in a namespace only its own credential can reach."""
    platform = cloud in names.PLATFORM_CLOUDS
    spec = (pods.platform if platform else pods.deploy)(images, settings.controller.pool)
    return {
        "credentialsId": cloud,
        "additionalAgentsOverride": True,
        "agent": {
            "namespace": names.target_namespace(cloud),
            "serviceAccount": names.DEPLOY_ACCOUNT,
            "usageRestricted": True,
            "restrictedPssSecurityContext": True,
            "containerCap": sizes.fitting(target.quota, pod_of(cloud), target.quota.pods),
            "garbageCollection": {"namespaces": names.target_namespace(cloud)},
            "defaultsProviderTemplate": cloud,
            **_template(cloud, spec),
        },
    }


def _route(settings: JenkinsSettings) -> dict[str, Any]:
    gateway = settings.gateway
    parents = [] if gateway is None else [{"name": gateway.name, "namespace": gateway.namespace}]
    webhook = {
        "matches": [{"path": {"type": "Exact", "value": "/github-webhook/"}}],
        "backendRefs": [{"name": "jenkins-webhook", "port": 8080}],
    }
    return {"enabled": True, "parentRefs": parents, "hostnames": [settings.hostname], "extraRules": [webhook]}


def _behind_gateway() -> dict[str, Any]:
    """A second way in for GitHub's calls, which cannot pass the Identity-Aware Proxy, and the health checks of both."""
    return {
        "webhook-service": {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": _in_controller("jenkins-webhook"),
            "spec": {
                "selector": {
                    "app.kubernetes.io/component": "jenkins-controller",
                    "app.kubernetes.io/instance": "jenkins",
                },
                "ports": [{"name": "http", "port": 8080, "targetPort": 8080}],
            },
        },
        "webhook-health": _health_check("jenkins-webhook"),
        "health": _health_check("jenkins"),
        "proxy": {
            "apiVersion": "networking.gke.io/v1",
            "kind": "GCPBackendPolicy",
            "metadata": _in_controller("jenkins"),
            # Agents do not pass here, but log views are long-lived: an hour instead of 30 seconds.
            "spec": {"default": {"timeoutSec": 3600, "iap": {"enabled": True}}, "targetRef": _service("jenkins")},
        },
    }


def _health_check(service: str) -> dict[str, Any]:
    # Jenkins answers 403 at / to strangers, which a load balancer takes for illness.
    check = {"type": "HTTP", "httpHealthCheck": {"port": 8080, "requestPath": "/login"}}
    return {
        "apiVersion": "networking.gke.io/v1",
        "kind": "HealthCheckPolicy",
        "metadata": _in_controller(service),
        "spec": {"default": {"config": check}, "targetRef": _service(service)},
    }


def _in_controller(name: str) -> dict[str, str]:
    return {"name": name, "namespace": names.CONTROLLER_NAMESPACE}


def _service(name: str) -> dict[str, str]:
    return {"group": "", "kind": "Service", "name": name}
