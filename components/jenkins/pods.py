"""Pod templates of builds, tests and deploys.

Every pod of the builders' cloud inherits `base`, also a pod that a Jenkinsfile defines. Jenkins merges a child into its
parent by name and uses only some fields of the child, so `base` contains the rules for all pods, and children add
containers with new names.

Traps: the name of the agent's container is jnlp; the chart writes its image and arguments and keeps the fields that are
set here. All containers that run steps share files, so they run as the same user. Only rootless BuildKit may gain
privileges (newuidmap) and run without seccomp and AppArmor. No pod has an `fsGroup`: it sets the setgid bit of volumes,
BuildKit's folders and those of the workspace inherit it, and so do folders of the images that are built.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from components.jenkins import names, sizes
from components.jenkins.build_settings import BuildSettings
from components.jenkins.registry import Images
from components.jenkins.value_types import ImageRole

USER = 1000
HOME = "/home/jenkins/agent"
"""The workspace, shared by all containers of a pod."""

REGISTRY_LOGIN = "/run/registry-login"
"""Folder of the pod's registry token, in memory."""

_HARDENED = {
    "runAsUser": USER,
    "runAsGroup": USER,
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
_UNCONFINED = {"type": "Unconfined"}


def placement(pool: str | None) -> dict[str, Any]:
    """Node selector and toleration for a pool; with None, any node without a taint."""
    if pool is None:
        return {}
    return {
        "nodeSelector": {names.POOL_LABEL: pool},
        "tolerations": [{"key": names.POOL_LABEL, "operator": "Equal", "value": pool, "effect": "NoSchedule"}],
    }


def base(pool: str | None) -> dict[str, Any]:
    """The rules for all pods: their nodes, their rights, and no token of the cluster."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": names.AGENT_PRIORITY,
        "securityContext": {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **placement(pool),
        "containers": [{"name": "jnlp", "securityContext": _HARDENED}],
    }


def build(images: Images, size: BuildSettings) -> dict[str, Any]:
    """An image build: BuildKit, and the tools that push, package and log in."""
    return {
        "containers": [
            _buildkit(images["buildkit"], size),
            *(_tool(name, images[name]) for name in sizes.TOOLS),
        ],
        "volumes": [
            {"name": "buildkitd", "emptyDir": {"sizeLimit": size.scratch}},
            _registry_login_volume(),
        ],
    }


def deploy(images: Images, pool: str | None, tools: Iterable[ImageRole]) -> dict[str, Any]:
    """A release or a deploy, on the controller's nodes: the builders' nodes run code of all repositories."""
    return {
        **base(pool),
        "containers": [
            {"name": "jnlp", "securityContext": _HARDENED},
            *(_tool(name, images[name]) for name in tools),
        ],
        "volumes": [_registry_login_volume()],
    }


def platform(images: Images, pool: str | None) -> dict[str, Any]:
    """This repository's own pipeline: Pulumi, Python and git, with room for several stacks at the same time."""
    pulumi = {
        **_tool("pulumi", images["pulumi"]),
        "env": [{"name": "HOME", "value": HOME}, {"name": "PULUMI_SKIP_UPDATE_CHECK", "value": "true"}],
        "resources": sizes.PULUMI,
        "volumeMounts": [],
    }
    return {**base(pool), "containers": [{"name": "jnlp", "securityContext": _HARDENED}, pulumi]}


def _tool(name: ImageRole, image: str) -> dict[str, Any]:
    return {
        "name": name,
        "image": image,
        "command": ["sleep", "99d"],
        "env": [
            {"name": "HOME", "value": HOME},
            {"name": "DOCKER_CONFIG", "value": REGISTRY_LOGIN},
        ],
        "securityContext": _HARDENED,
        "resources": sizes.tool(sizes.TOOLS.get(name, "256Mi")),
        "volumeMounts": [_registry_login_mount()],
    }


def _buildkit(image: str, size: BuildSettings) -> dict[str, Any]:
    return {
        "name": "buildkit",
        "image": image,
        "command": ["sleep", "99d"],
        "env": [
            {"name": "BUILDKITD_FLAGS", "value": "--oci-worker-no-process-sandbox"},
            {"name": "DOCKER_CONFIG", "value": REGISTRY_LOGIN},
        ],
        "securityContext": {
            "runAsUser": USER,
            "runAsGroup": USER,
            "runAsNonRoot": True,
            "seccompProfile": _UNCONFINED,
            "appArmorProfile": _UNCONFINED,
        },
        "resources": sizes.buildkit(size),
        # Container-Optimized OS allows no overlay mounts on the container's own disk, so the state needs a volume.
        "volumeMounts": [
            {"name": "buildkitd", "mountPath": "/home/user/.local/share/buildkit"},
            _registry_login_mount(),
        ],
    }


def _registry_login_mount() -> dict[str, str]:
    return {"name": "registry-login", "mountPath": REGISTRY_LOGIN}


def _registry_login_volume() -> dict[str, Any]:
    return {"name": "registry-login", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
