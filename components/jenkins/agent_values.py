"""The Helm values of agents: the builders' cloud with its pod templates, and the restricted clouds.

Traps: the chart merges a further cloud into the values of the first cloud, and treats an empty value as missing.
Restricted clouds therefore state every value, and no value that differs between the clouds is empty.
"""

from __future__ import annotations

from typing import Any

from components.jenkins import capacity, names, pods, sizes, stores
from components.jenkins.documents import as_yaml
from components.jenkins.registry import Images
from components.jenkins.settings import JenkinsSettings
from components.jenkins.target_settings import TargetSettings

NOT_EVICTED = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
"""Annotation of pods that the cluster autoscaler must not move."""

# A node pool that grows from zero takes minutes; with the chart's 100 s, Jenkins would stop the agent before that.
_START_SECONDS = 900


def builders(settings: JenkinsSettings, images: Images) -> dict[str, Any]:
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
        # Each running step of a container uses a connection; with the chart's 32, steps of other builds would wait.
        "maxRequestsPerHostStr": str(max(64, 2 * settings.max_agents)),
        "connectTimeout": _START_SECONDS,
        "waitForPodSec": _START_SECONDS,
        "idleMinutes": 0,  # a new pod for each build
        "podRetention": "Never",
        "showRawYaml": False,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "restrictedPssSecurityContext": False,  # would break BuildKit; the templates restrict every other container
        "garbageCollection": {"enabled": True, "namespaces": names.TESTS_NAMESPACE, "timeout": 300},
        "annotations": NOT_EVICTED,
        "resources": sizes.AGENT,
        "yamlMergeStrategy": "merge",
        "inheritYamlMergeStrategy": True,
        "yamlTemplate": as_yaml({"spec": pods.base(settings.agent_pool)}),
    }


def templates(settings: JenkinsSettings, images: Images) -> dict[str, Any]:
    """`build`, `test` and a template for each data store: a pipeline inherits from "test store-postgres"."""
    tests = {"namespace": names.TESTS_NAMESPACE, "serviceAccount": names.TEST_ACCOUNT}
    by_store = {
        f"store-{store}": _template(f"store-{store}", stores.sidecar(store, images[store]), **tests)
        for store in settings.stores
    }
    return {
        "build": _template("build", pods.build(images, settings.builds)),
        "test": _template("test", {}, **tests),
        **by_store,
    }


def restricted_clouds(settings: JenkinsSettings, images: Images) -> dict[str, Any]:
    """The clouds that only jobs of the platform's folders may use, by name."""
    return {cloud: _restricted_cloud(settings, images, cloud, target) for cloud, target in settings.targets().items()}


def _restricted_cloud(settings: JenkinsSettings, images: Images, cloud: str, target: TargetSettings) -> dict[str, Any]:
    """A cloud whose namespace only its own credential reaches."""
    pool = settings.controller.pool
    own = names.is_platform_cloud(cloud)
    spec = pods.platform(images, pool) if own else pods.deploy(images, pool, sizes.target_tools(cloud))
    return {
        "credentialsId": cloud,
        "additionalAgentsOverride": True,
        "agent": {
            "namespace": names.target_namespace(cloud),
            "serviceAccount": names.DEPLOY_ACCOUNT,
            "usageRestricted": True,
            "restrictedPssSecurityContext": True,
            "containerCap": capacity.fitting(target.quota, sizes.target_pod(cloud), target.quota.pods),
            "garbageCollection": {"namespaces": names.target_namespace(cloud)},
            "defaultsProviderTemplate": cloud,
            **_template(cloud, spec),
        },
    }


def _template(name: str, spec: dict[str, Any], **fields: str) -> dict[str, Any]:
    return {
        "podName": name,
        "customJenkinsLabels": [name],
        "nodeUsageMode": "EXCLUSIVE",  # only for builds that request it
        **fields,
        "yamlTemplate": as_yaml({"spec": spec}),
    }
