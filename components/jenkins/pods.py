"""Pod templates: what a build, a test and a deploy run in.

`base` is inherited by every pod of the builders' cloud, also by those that a Jenkinsfile writes itself. Jenkins merges
a child into it by name and takes only some fields of the child, so what must hold for all pods is in `base`, and
children add containers of new names.

Traps: the agent's container is called jnlp, and the chart writes its image and arguments; what is said of it here is
kept beside that. All containers in which steps run share files, hence one user. Rootless BuildKit must be allowed to
gain privileges (newuidmap) and to leave seccomp and AppArmor; nothing else is.
"""

from __future__ import annotations

from typing import Any

from components.jenkins import names, sizes
from components.jenkins.registry import Images
from components.jenkins.settings import BuildSettings
from components.jenkins.value_types import ImageRole

USER = 1000
HOME = "/home/jenkins/agent"
"""The workspace, shared by all containers of a pod."""

REGISTRY_LOGIN = "/run/registry-login"
"""Where the pod's registry token is: in memory, gone with the pod."""

_HARDENED = {
    "runAsUser": USER,
    "runAsGroup": USER,
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
_UNCONFINED = {"type": "Unconfined"}


def placement(pool: str | None) -> dict[str, Any]:
    """Node selector and toleration for a pool; None is any node without a taint."""
    if pool is None:
        return {}
    return {
        "nodeSelector": {names.POOL_LABEL: pool},
        "tolerations": [{"key": names.POOL_LABEL, "operator": "Equal", "value": pool, "effect": "NoSchedule"}],
    }


def base(pool: str | None) -> dict[str, Any]:
    """What holds for all pods: where they run, with which rights, and that they carry no token."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": names.AGENT_PRIORITY,
        "securityContext": {
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **placement(pool),
        "containers": [{"name": "jnlp", "securityContext": _HARDENED}],
    }


def build(images: Images, size: BuildSettings) -> dict[str, Any]:
    """An image build: BuildKit, and the tools that push, package and sign in."""
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


def deploy(images: Images, pool: str | None) -> dict[str, Any]:
    """A deploy. It stands beside Jenkins and not on the builders' nodes, where code of all repositories runs."""
    return {
        **base(pool),
        "containers": [
            {"name": "jnlp", "securityContext": _HARDENED},
            *(_tool(name, images[name]) for name in sizes.DEPLOY_TOOLS),
        ],
        "volumes": [_registry_login_volume()],
    }


def platform(images: Images, pool: str | None) -> dict[str, Any]:
    """What this repository's own pipeline runs in: Pulumi, Python and git, with room for a few stacks at once."""
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
        # Container-Optimized OS allows no overlay mounts on the container's own disk: the state needs a volume.
        "volumeMounts": [
            {"name": "buildkitd", "mountPath": "/home/user/.local/share/buildkit"},
            _registry_login_mount(),
        ],
    }


def _registry_login_mount() -> dict[str, str]:
    return {"name": "registry-login", "mountPath": REGISTRY_LOGIN}


def _registry_login_volume() -> dict[str, Any]:
    return {"name": "registry-login", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
