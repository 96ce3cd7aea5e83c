"""Volumes and environment variables of pods: whether their sources exist and the pod's account may read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from atwork.access.model import AccessModel
from atwork.sandbox.secret_manager import READ, VERSION
from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.identity import identity
from atwork.sandbox.verify.model import Pod, PodFinding
from atwork.sandbox.verify.prerequisites import marked
from components.cluster_settings import CSI_DRIVER
from components.type_tokens import SECRET, SECRET_VERSION

_VOLUME_KINDS = {
    "secret": ("Secret", "secretName"),
    "configMap": ("ConfigMap", "name"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}
_VARIABLE_KINDS = {
    "secretRef": "Secret",
    "configMapRef": "ConfigMap",
    "secretKeyRef": "Secret",
    "configMapKeyRef": "ConfigMap",
}


def check(pod: Pod, here: EnvironmentObjects, access: AccessModel) -> Iterator[PodFinding]:
    """A finding for each missing source."""
    sources = {*_volumes(pod.spec), *_variables(pod)}
    for kind, name in sorted(sources):
        if not _exists(kind, pod.namespace, name, here):
            missing = pod.finding(
                "mount",
                f"{kind} {pod.namespace}/{name} is missing",
                "the pod stays in ContainerCreating or CreateContainerConfigError",
                f"create it, or stop mounting it from {pod.shown}",
                "FailedMount",
            )
            yield marked(missing, f"{kind} {pod.namespace}/{name}")
    for volume in pod.spec.get("volumes") or ():
        if (volume.get("csi") or {}).get("driver") is not None:
            yield from _csi(pod, volume["csi"], here, access)


def _exists(kind: str, namespace: str, name: str, here: EnvironmentObjects) -> bool:
    """Whether an object stays: Kubernetes deletes the Secret of a token whose account does not exist."""
    manifest = here.kubernetes.get((kind, namespace, name))
    if manifest is None or manifest.get("type") != "kubernetes.io/service-account-token":
        return manifest is not None
    account = manifest["metadata"]["annotations"]["kubernetes.io/service-account.name"]
    return here.has("ServiceAccount", namespace, account)


def _volumes(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for volume in spec.get("volumes") or ():
        sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
        for source in sources:
            for key, (kind, name_key) in _VOLUME_KINDS.items():
                reference = source.get(key) or {}
                name = reference.get(name_key) or reference.get("name")
                if name and not reference.get("optional"):
                    yield kind, str(name)


def _variables(pod: Pod) -> Iterator[tuple[str, str]]:
    for container in pod.containers():
        entries = [
            *(container.get("envFrom") or ()),
            *((variable.get("valueFrom") or {}) for variable in container.get("env") or ()),
        ]
        for entry in entries:
            for key, kind in _VARIABLE_KINDS.items():
                reference = entry.get(key)
                if reference and not reference.get("optional"):
                    yield kind, str(reference["name"])


def _csi(pod: Pod, csi: Mapping[str, Any], here: EnvironmentObjects, access: AccessModel) -> Iterator[PodFinding]:
    addon = (here.cluster.get("secretManagerConfig") or {}).get("enabled")
    if csi["driver"] != CSI_DRIVER or not addon:
        yield pod.finding(
            "mount",
            f"no node has the CSI driver {csi['driver']}",
            "the volume is never mounted",
            f"use {CSI_DRIVER} and turn the Secret Manager add-on on",
            "FailedMount",
        )
        return
    name = str((csi.get("volumeAttributes") or {}).get("secretProviderClass"))
    provider = here.kubernetes.get(("SecretProviderClass", pod.namespace, name))
    if provider is None:
        yield pod.finding(
            "mount",
            f"SecretProviderClass {pod.namespace}/{name} is missing",
            "the volume is never mounted",
            "add it to the chart",
            "FailedMount",
        )
        return
    for entry in yaml.safe_load(provider["spec"]["parameters"]["secrets"]) or ():
        yield from _secret(pod, str(entry["resourceName"]), here, access)


def _secret(pod: Pod, resource: str, here: EnvironmentObjects, access: AccessModel) -> Iterator[PodFinding]:
    match = VERSION.fullmatch(resource)
    names = {f"projects/{str(item['id']).split('/')[1]}/secrets/{item['secretId']}" for item in here.all(SECRET)}
    secret = match["secret"] if match is not None else resource
    if match is None or secret not in names:
        missing = pod.finding(
            "mount",
            f"{here.name} has no secret {secret}",
            "the volume is never mounted",
            "name the secret in services/NAME.yaml, and the project in the values",
            "FailedMount",
        )
        yield marked(missing, f"secret {secret}")
        return
    who = identity(pod, here, access)
    if not access.may(who, READ, secret):
        yield pod.finding(
            "identity",
            f"{who} may not read {secret}",
            "Secret Manager answers 403 and the volume is never mounted",
            f"grant roles/secretmanager.secretAccessor on it to {who}",
            "FailedMount",
        )
    if not _has_version(here, secret, match["number"]):
        missing = pod.finding(
            "mount",
            f"{secret} has no version {match['number']}",
            "the volume is never mounted",
            "add the value",
            "FailedMount",
        )
        yield marked(missing, f"version of {secret}")


def _has_version(here: EnvironmentObjects, secret: str, version: str) -> bool:
    """Whether a version exists and is enabled; `latest` is the one that was created last."""
    enabled = {
        int(str(item["id"]).rpartition("/")[2]): item.get("enabled") is not False
        for item in here.all(SECRET_VERSION)
        if str(item["id"]).startswith(f"{secret}/versions/")
    }
    return enabled.get(max(enabled, default=0) if version == "latest" else int(version), False)
