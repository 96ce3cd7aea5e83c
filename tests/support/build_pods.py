"""Pods that a hostile Jenkinsfile asks for, and the rule that refuses each; "" for pods that are admitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from components.jenkins import names

POOL = "agents"
BUILDKIT = "europe-docker.pkg.dev/acme-at-work-ci/docker-hub/moby/buildkit"

_NODES = "only the nodes of the agents"
_TOLERATION = "no toleration but that of the agents' nodes"
_BUILDKIT = "only the platform's BuildKit as the container buildkit"
_TOLERATED = {"key": names.POOL_LABEL, "operator": "Equal", "value": POOL, "effect": "NoSchedule"}


@dataclass(frozen=True)
class AskedPod:
    """A pod, as it differs from a pod of the template `base` with the container `buildkit`."""

    refused: str
    namespace: str = names.AGENTS_NAMESPACE
    spec: dict[str, Any] = field(default_factory=dict[str, Any])
    container: dict[str, Any] = field(default_factory=dict[str, Any])

    def body(self, buildkit: str) -> dict[str, Any]:
        """The manifest; `buildkit` is the pinned image."""
        security = {"runAsUser": 1000, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        size = {"cpu": "100m", "memory": "64Mi", "ephemeral-storage": "64Mi"}
        container = {
            "name": "buildkit",
            "image": buildkit,
            "securityContext": security,
            "resources": {"requests": size, "limits": {key: size[key] for key in ("memory", "ephemeral-storage")}},
        }
        spec = {
            "nodeSelector": {names.POOL_LABEL: POOL},
            "tolerations": [_TOLERATED],
            "containers": [container | self.container],
        }
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "asked"}, "spec": spec | self.spec}


_ANYWHERE = {"operator": "Exists"}
ASKED: dict[str, AskedPod] = {
    "as the platform's templates": AskedPod(""),
    "as the platform's templates, for a test": AskedPod("", names.TESTS_NAMESPACE),
    "a tool next to it": AskedPod("", container={"name": "tool", "image": "r.example.com/tool:1"}),
    "any node": AskedPod(_NODES, spec={"nodeSelector": {}}),
    "any node, for a test": AskedPod(_NODES, names.TESTS_NAMESPACE, spec={"nodeSelector": {}}),
    "the nodes of Jenkins": AskedPod(_NODES, spec={"nodeSelector": {names.POOL_LABEL: "system"}}),
    "a machine that is not there yet": AskedPod(
        _NODES, spec={"nodeSelector": {names.POOL_LABEL: POOL, "cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}}
    ),
    "nodes by affinity": AskedPod(_NODES, spec={"affinity": {"podAffinity": {}}}),
    "one node by its name": AskedPod("no name of a node", spec={"nodeName": "gke-ci-system-0"}),
    "one node by its name, for a test": AskedPod(
        "no name of a node", names.TESTS_NAMESPACE, spec={"nodeName": "gke-ci-system-0"}
    ),
    "all taints tolerated": AskedPod(_TOLERATION, spec={"tolerations": [_ANYWHERE]}),
    "a taint of another pool tolerated": AskedPod(
        _TOLERATION, spec={"tolerations": [_TOLERATED, {**_TOLERATED, "value": "system"}]}
    ),
    "the priority of Jenkins": AskedPod(
        "only the priority of agents", spec={"priorityClassName": "jenkins-controller"}
    ),
    "another image without seccomp": AskedPod(
        _BUILDKIT, container={"image": "r.example.com/own:1", "securityContext": {"runAsUser": 1000}}
    ),
    "BuildKit as root": AskedPod(_BUILDKIT, container={"securityContext": {"runAsUser": 0}}),
    "BuildKit as the user of its image": AskedPod(_BUILDKIT, container={"securityContext": {}}),
}
