"""Volumes of the pod of a release: without them the pod stays ContainerCreating and the release times out.

The values of the official Jenkins chart say what its pod mounts. For a secret of Secret Manager, the simulated Google
Cloud needs the secret, an enabled version, and permission for the pod's service account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.provider.gcp.clusters import servers
from atwork.sandbox.provider.values import reveal
from components.cluster_settings import CSI_DRIVER
from components.type_tokens import (
    CLUSTER,
    KUBERNETES_ACCOUNT,
    KUBERNETES_SECRET,
    PROJECT_MEMBER,
    SECRET,
    SECRET_VERSION,
    VOLUME_CLAIM,
)

_ACCESSOR = "roles/secretmanager.secretAccessor"
_VERSION_NAME = re.compile(r"projects/([^/]+)/secrets/([^/]+)/versions/([^/]+)")
_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 (a type)
_ACCOUNT = "kubernetes.io/service-account.name"
_HELM_TIMEOUT = "Helm release {0} was created, but failed to initialize completely: context deadline exceeded"

ChartValues = Mapping[str, Any]


@dataclass(frozen=True)
class ReleasePod:
    """The pod of a release: its cluster, namespace and service account."""

    cloud: Cloud
    server: str
    """URL of its API server."""
    namespace: str
    account: str
    filled: frozenset[str] = frozenset()
    """Secrets of the chart that the token controller fills in, because their accounts exist."""

    def secret(self, name: str, keys: tuple[str, ...] = ()) -> Iterator[str]:
        """Problems with a mounted Kubernetes Secret."""
        if name in self.filled:
            return
        existing = self.cloud.get(self.server, KUBERNETES_SECRET, f"{self.namespace}/{name}")
        if existing is None:
            yield f'secret "{name}" not found'
            return
        content = reveal(existing.inputs)
        values = {**(content.get("data") or {}), **(content.get("stringData") or {})}
        yield from (f'secret "{name}" has no key {key}' for key in keys if key not in values)

    def claim(self, name: str) -> Iterator[str]:
        """Problems with a mounted volume claim."""
        if self.cloud.get(self.server, VOLUME_CLAIM, f"{self.namespace}/{name}") is None:
            yield f'persistentvolumeclaim "{name}" not found'

    def version(self, name: str) -> Iterator[str]:
        """Problems of the add-on with a version of a secret; `name` is its resource name."""
        match = _VERSION_NAME.fullmatch(name)
        if match is None:
            yield f"{name} is not the name of a secret's version"
            return
        project, secret, version = match.groups()
        resource = f"projects/{project}/secrets/{secret}"
        versions = self._versions(resource)
        if self.cloud.get("", SECRET, resource) is None:
            yield f"rpc error: code = NotFound desc = Secret [{resource}] not found"
        elif not self._may_read(project, resource):
            yield (
                "rpc error: code = PermissionDenied desc = Permission 'secretmanager.versions.access' denied on "
                f"resource '{resource}' for {self.namespace}/{self.account}"
            )
        elif not versions:
            yield f"rpc error: code = NotFound desc = Secret Version [{name}] not found"
        else:
            number = max(versions) if version == "latest" else int(version)
            if not versions.get(number):
                yield f"rpc error: code = FailedPrecondition desc = Secret Version [{name}] is not enabled"

    def _versions(self, secret: str) -> dict[int, bool]:
        """Whether each version is enabled, by number."""
        prefix = f"{secret}/versions/"
        return {
            int(version.id.removeprefix(prefix)): bool(version.inputs.get("enabled", True))
            for version in self.cloud.objects("", SECRET_VERSION)
            if version.id.startswith(prefix)
        }

    def _may_read(self, project: str, secret: str) -> bool:
        """Whether the pod's principal has the accessor role on the secret or on its project."""
        pools = {f"/workloadIdentityPools/{cluster}.svc.id.goog/" for cluster in self._cluster_projects()}
        subject = f"/subject/ns/{self.namespace}/sa/{self.account}"
        members = [name for _, name in self.cloud.referrers(secret) if name.startswith(f"{secret}/{_ACCESSOR}/")]
        members += [
            member.id
            for member in self.cloud.objects("", PROJECT_MEMBER)
            if member.id.startswith(f"{project}/{_ACCESSOR}/")
        ]
        return any(member.endswith(subject) and any(pool in member for pool in pools) for member in members)

    def _cluster_projects(self) -> Iterator[str]:
        for cluster in self.cloud.objects("", CLUSTER):
            if self.server in servers(cluster):
                yield cluster.id.split("/")[1]


def problems(release: ChartValues, server: str, cloud: Cloud) -> list[str]:
    """Why the pod of a release does not start; empty if all its volumes are available."""
    plain = reveal(dict(release))
    values = plain.get("values") or {}
    account = (values.get("serviceAccount") or {}).get("name") or plain["name"]
    namespace = str(plain["namespace"])
    filled = frozenset(
        item["metadata"]["name"]
        for item in _extra(values)
        if item.get("type") == _TOKEN
        and cloud.get(server, KUBERNETES_ACCOUNT, f"{namespace}/{item['metadata']['annotations'][_ACCOUNT]}")
        is not None
    )
    pod = ReleasePod(cloud, server, namespace, str(account), filled)
    reasons = [f"MountVolume.SetUp failed: {reason}" for reason in _missing(pod, values)]
    name = f"{plain['namespace']}/{plain['name']}"
    return [_HELM_TIMEOUT.format(name), *reasons] if reasons else []


def _missing(pod: ReleasePod, values: ChartValues) -> Iterator[str]:
    controller, persistence = values.get("controller") or {}, values.get("persistence") or {}
    for existing in controller.get("additionalExistingSecrets") or ():
        yield from pod.secret(existing["name"], (existing["keyName"],))
    admin = controller.get("admin") or {}
    if admin.get("existingSecret") and admin.get("createSecret", True):
        yield from pod.secret(admin["existingSecret"])
    if persistence.get("existingClaim"):
        yield from pod.claim(persistence["existingClaim"])
    for volume in persistence.get("volumes") or ():
        yield from _volume(pod, volume, values)


def _volume(pod: ReleasePod, volume: ChartValues, values: ChartValues) -> Iterator[str]:
    if "secret" in volume:
        yield from pod.secret(volume["secret"]["secretName"])
    if "persistentVolumeClaim" in volume:
        yield from pod.claim(volume["persistentVolumeClaim"]["claimName"])
    if (volume.get("csi") or {}).get("driver") == CSI_DRIVER:
        name = volume["csi"]["volumeAttributes"]["secretProviderClass"]
        provider = _provider_class(name, values)
        if provider is None:
            yield f'secretproviderclasses.secrets-store.csi.x-k8s.io "{name}" not found'
            return
        for entry in yaml.safe_load(provider["spec"]["parameters"]["secrets"]):
            yield from pod.version(entry["resourceName"])


def _provider_class(name: str, values: ChartValues) -> ChartValues | None:
    classes = (item for item in _extra(values) if item["kind"] == "SecretProviderClass")
    return next((provider for provider in classes if provider["metadata"]["name"] == name), None)


def _extra(values: ChartValues) -> list[ChartValues]:
    """The extra objects of the chart."""
    extra = values.get("extraObjects") or {}
    return list(extra.values() if isinstance(extra, Mapping) else extra)
