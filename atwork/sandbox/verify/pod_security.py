"""The Pod Security Standards for pod specs as plain data.

A Deployment that violates the level of its namespace is created and then times out without an error, and a pod
template of Jenkins breaks a build; here a test reports it. Only the rules for Linux pods of the platform are here.
https://kubernetes.io/docs/concepts/security/pod-security-standards
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]

_PLAIN_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def baseline(spec: Spec) -> list[str]:
    """Violations of the level `baseline` in a pod, each with its place."""
    return [*_baseline_pod(spec), *(problem for container in _containers(spec) for problem in _baseline(container))]


def restricted(spec: Spec) -> list[str]:
    """Violations of the level `restricted`, including those of `baseline`."""
    pod = spec.get("securityContext", {})
    problems = baseline(spec)
    problems += [
        f"volume {volume['name']}: only plain volumes"
        for volume in spec.get("volumes", [])
        if not set(volume) - {"name"} <= _PLAIN_VOLUMES
    ]
    return problems + [problem for container in _containers(spec) for problem in _restricted(container, pod)]


def _containers(spec: Spec) -> list[Spec]:
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def _baseline_pod(spec: Spec) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield f"pod: {key}"
    for volume in spec.get("volumes", []):
        if "hostPath" in volume:
            yield f"volume {volume['name']}: hostPath"
    yield from _unconfined("pod", spec.get("securityContext", {}))


def _baseline(container: Spec) -> Iterator[str]:
    name, context = container["name"], container.get("securityContext", {})
    if context.get("privileged"):
        yield f"{name}: privileged"
    if context.get("capabilities", {}).get("add"):
        yield f"{name}: added capabilities"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield f"{name}: hostPort"
    yield from _unconfined(name, context)


def _unconfined(name: str, context: Spec) -> Iterator[str]:
    for key in ("seccompProfile", "appArmorProfile"):
        if context.get(key, {}).get("type") == "Unconfined":
            yield f"{name}: {key} Unconfined"


def _restricted(container: Spec, pod: Spec) -> Iterator[str]:
    name, context = container["name"], container.get("securityContext", {})
    effective = {**pod, **context}
    if context.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: allowPrivilegeEscalation"
    if "ALL" not in context.get("capabilities", {}).get("drop", []):
        yield f"{name}: keeps capabilities"
    if not effective.get("runAsNonRoot"):
        yield f"{name}: may run as root"
    if effective.get("runAsUser") == 0:
        yield f"{name}: runs as root"
    if effective.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield f"{name}: no seccomp profile"
