"""The Helm values of the Jenkins chart, from settings alone: plain data, no secret in it.

Traps: `createSecret` stays true, or the existing admin secret is not mounted; a plugin in both lists stops the
controller; what the chart writes itself (clouds, address, executors) may not be repeated in a script.
"""

from __future__ import annotations

from typing import Any

from components.jenkins import jcasc
from components.jenkins.settings import JenkinsSettings
from components.versions import CHART_PLUGINS, IMAGES, PLUGINS

NAMESPACE = "jenkins"
AGENTS_NAMESPACE = "jenkins-agents"
AGENT_ACCOUNT = "jenkins-agent"
HOME_CLAIM = "jenkins-home"
PRIORITY_CLASS = "ci-agents"
POOL_LABEL = "atwork.dev/pool"

_RESTRICTED = {
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
_SAFE_TO_EVICT = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}


def deploy_namespace(environment: str) -> str:
    """The namespace whose pods deploy to an environment."""
    return f"jenkins-deploy-{environment}"


def deploy_account(environment: str) -> str:
    """The service account of those pods."""
    return f"deployer-{environment}"


def helm_values(settings: JenkinsSettings, *, registry_host: str, registry_project: str) -> dict[str, Any]:
    """All values that are given to the chart."""
    return {
        "fullnameOverride": "jenkins",
        "controller": _controller(settings, registry_host, registry_project),
        "agent": _agent(settings),
        "persistence": {"existingClaim": HOME_CLAIM},
        "networkPolicy": {"enabled": False},  # the chart's opens 8080 to everyone; the component brings its own
        "rbac": {"create": True, "readSecrets": True},
        "serviceAccount": {"name": "jenkins"},
        "serviceAccountAgent": {"create": False, "name": AGENT_ACCOUNT},
    }


def _controller(settings: JenkinsSettings, registry_host: str, registry_project: str) -> dict[str, Any]:
    image: dict[str, Any] = {"tag": IMAGES["controller"].rpartition(":")[2], "pullPolicy": "IfNotPresent"}
    if settings.image_registry is not None:
        image["registry"] = settings.image_registry
    return {
        "image": image,
        "numExecutors": 0,
        "executorMode": "EXCLUSIVE",
        "admin": {"createSecret": True, "existingSecret": "jenkins-admin"},
        "jenkinsUrl": f"https://{settings.hostname}",
        "jenkinsAdminEmail": settings.admins[0],
        "resources": {
            "requests": {"cpu": "1", "memory": settings.memory},
            "limits": {"cpu": settings.cpu, "memory": settings.memory},
        },
        "initContainerResources": {
            "requests": {"cpu": "500m", "memory": "1Gi"},
            "limits": {"cpu": "2", "memory": "2Gi"},
        },
        "javaOpts": "-XX:MaxRAMPercentage=60 -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError",
        "podSecurityContextOverride": _POD,
        "containerSecurityContext": _RESTRICTED,
        # Plugins and jobs are loaded at the first start: ten minutes before it is given up.
        "probes": {"startupProbe": {"failureThreshold": 60}, "livenessProbe": {"failureThreshold": 6}},
        "podAnnotations": _SAFE_TO_EVICT,
        "terminationGracePeriodSeconds": 60,
        "agentListenerEnabled": False,  # agents call over HTTP; there is one port to guard
        "installLatestPlugins": False,
        "installPlugins": list(CHART_PLUGINS),
        "additionalPlugins": list(PLUGINS),
        "additionalExistingSecrets": [
            {"name": "jenkins-oidc", "keyName": "client-id"},
            {"name": "jenkins-oidc", "keyName": "client-secret"},
        ],
        "JCasC": {
            "defaultConfig": True,
            "overwriteConfiguration": True,
            "security": {"globalJobDslSecurityConfiguration": {"useScriptSecurity": True}},
            "securityRealm": jcasc.security_realm(),
            "authorizationStrategy": jcasc.authorization(settings),
            "configScripts": jcasc.scripts(settings, registry_host=registry_host, registry_project=registry_project),
        },
        "sidecars": {
            "configAutoReload": {
                "resources": {
                    "requests": {"cpu": "50m", "memory": "64Mi"},
                    "limits": {"cpu": "200m", "memory": "128Mi"},
                },
                "containerSecurityContext": {
                    key: _RESTRICTED[key]
                    for key in ("readOnlyRootFilesystem", "allowPrivilegeEscalation", "capabilities")
                },
            }
        },
        "testEnabled": False,
    }


def _agent(settings: JenkinsSettings) -> dict[str, Any]:
    return {
        "namespace": AGENTS_NAMESPACE,
        "serviceAccount": AGENT_ACCOUNT,
        "websocket": True,
        "podName": "base",
        "defaultsProviderTemplate": "base",  # every pod inherits pool, account and priority, whoever wrote it
        "customJenkinsLabels": ["base"],
        "containerCap": settings.max_agents,
        "connectTimeout": 900,  # a node pool that grows from nothing takes minutes; the chart's 100 s kill the agent
        "waitForPodSec": 900,
        "idleMinutes": 0,  # a new pod for each build
        "podRetention": "Never",
        "showRawYaml": False,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "restrictedPssSecurityContext": False,
        "garbageCollection": {"enabled": True, "timeout": 300},
        "annotations": _SAFE_TO_EVICT,
        "nodeSelector": {POOL_LABEL: settings.agent_pool},
        "resources": {
            "requests": {"cpu": "200m", "memory": "512Mi", "ephemeralStorage": "1Gi"},
            "limits": {"cpu": "1", "memory": "512Mi", "ephemeralStorage": "2Gi"},
        },
        "yamlMergeStrategy": "merge",
        "inheritYamlMergeStrategy": True,
        "yamlTemplate": jcasc.as_yaml(
            {
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "priorityClassName": PRIORITY_CLASS,
                    "securityContext": {"fsGroup": 1000, "fsGroupChangePolicy": "OnRootMismatch"},
                    "tolerations": [
                        {
                            "key": POOL_LABEL,
                            "operator": "Equal",
                            "value": settings.agent_pool,
                            "effect": "NoSchedule",
                        }
                    ],
                }
            }
        ),
    }
