"""Whether everything that a pod mounts or reads as environment is there, and whether its account may read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from atwork.access.model import AccessModel
from atwork.sandbox.verify.identity import identity
from atwork.sandbox.verify.model import Finding, Pod
from atwork.sandbox.verify.prerequisites import marked
from atwork.sandbox.verify.world import SECRET, SECRET_VERSION, Environment

DRIVER = "secrets-store-gke.csi.k8s.io"
"""Of GKE's Secret Manager add-on.
https://cloud.google.com/secret-manager/docs/secret-manager-managed-csi-component"""

READ = "secretmanager.versions.access"
_VERSION = re.compile(r"(?P<secret>projects/[^/]+/secrets/[^/]+)/versions/(?P<version>latest|[0-9]+)")
_KEYS = {"secret": ("Secret", "secretName"), "configMap": ("ConfigMap", "name"),
         "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName")}  # fmt: skip


def check(pod: Pod, here: Environment, access: AccessModel) -> Iterator[Finding]:
    """A finding for each thing that a pod waits for in vain."""
    wanted = {*_volumes(pod.spec), *_variables(pod)}
    for kind, name in sorted(wanted):
        if not here.has(kind, pod.namespace, name):
            missing = pod.finding(
                "mount",
                f"{kind} {pod.namespace}/{name} is missing",
                "the pod stays in ContainerCreating or CreateContainerConfigError",
                f"make it, or stop mounting it from {pod.shown}",
                "FailedMount",
            )
            yield marked(missing, f"{kind} {pod.namespace}/{name}")
    for volume in pod.spec.get("volumes") or ():
        if (volume.get("csi") or {}).get("driver") is not None:
            yield from _csi(pod, volume["csi"], here, access)


def _volumes(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for volume in spec.get("volumes") or ():
        sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
        for source in sources:
            for key, (kind, word) in _KEYS.items():
                found = source.get(key) or {}
                name = found.get(word) or found.get("name")
                if name and not found.get("optional"):
                    yield kind, str(name)


def _variables(pod: Pod) -> Iterator[tuple[str, str]]:
    for container in pod.containers():
        entries = [
            *(container.get("envFrom") or ()),
            *((one.get("valueFrom") or {}) for one in container.get("env") or ()),
        ]
        for entry in entries:
            for key, kind in (
                ("secretRef", "Secret"), ("configMapRef", "ConfigMap"),
                ("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap"),
            ):  # fmt: skip
                found = entry.get(key)
                if found and not found.get("optional"):
                    yield kind, str(found["name"])


def _csi(pod: Pod, csi: Mapping[str, Any], here: Environment, access: AccessModel) -> Iterator[Finding]:
    addon = (here.cluster.get("secretManagerConfig") or {}).get("enabled")
    if csi["driver"] != DRIVER or not addon:
        yield pod.finding(
            "mount", f"no node has the CSI driver {csi['driver']}", "the volume is never mounted",
            f"use {DRIVER} and turn the Secret Manager add-on on", "FailedMount",
        )  # fmt: skip
        return
    name = str((csi.get("volumeAttributes") or {}).get("secretProviderClass"))
    provider = here.kubernetes.get(("SecretProviderClass", pod.namespace, name))
    if provider is None:
        yield pod.finding(
            "mount", f"SecretProviderClass {pod.namespace}/{name} is missing", "the volume is never mounted",
            "let the chart bring it", "FailedMount",
        )  # fmt: skip
        return
    for entry in yaml.safe_load(provider["spec"]["parameters"]["secrets"]) or ():
        yield from _secret(pod, str(entry["resourceName"]), here, access)


def _secret(pod: Pod, resource: str, here: Environment, access: AccessModel) -> Iterator[Finding]:
    match = _VERSION.fullmatch(resource)
    names = {f"projects/{str(one['id']).split('/')[1]}/secrets/{one['secretId']}": one for one in here.all(SECRET)}
    secret = match["secret"] if match is not None else resource
    if match is None or secret not in names:
        missing = pod.finding(
            "mount", f"{here.name} has no secret {secret}", "the volume is never mounted",
            "name the secret in services/NAME.yaml, and the project in the values", "FailedMount",
        )  # fmt: skip
        yield marked(missing, f"secret {secret}")
        return
    who = identity(pod, here, access)
    if not access.may(who, READ, secret):
        yield pod.finding(
            "identity", f"{who} may not read {secret}", "Secret Manager answers 403 and the volume is never mounted",
            f"grant roles/secretmanager.secretAccessor on it to {who}", "FailedMount",
        )  # fmt: skip
    if not _has_version(here, secret, match["version"]):
        missing = pod.finding(
            "mount", f"{secret} has no version {match['version']}", "the volume is never mounted",
            "add the value", "FailedMount",
        )  # fmt: skip
        yield marked(missing, f"version of {secret}")


def _has_version(here: Environment, secret: str, version: str) -> bool:
    """Whether a version is there and not switched off."""
    usable = [
        str(one["id"]).rpartition("/")[2]
        for one in here.all(SECRET_VERSION)
        if str(one["id"]).startswith(f"{secret}/versions/") and one.get("enabled") is not False
    ]
    return bool(usable) if version == "latest" else version in usable
