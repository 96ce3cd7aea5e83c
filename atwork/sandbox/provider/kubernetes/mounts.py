"""Whether what a release's pod mounts is there: without it a pod stays ContainerCreating and the release times out.

What the official Jenkins chart mounts is read from the values that it is given. Secrets of Secret Manager are looked
for in the simulated Google Cloud: the secret, its latest version, and the right of the pod's account to read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.provider.gcp.outputs import CLUSTER, servers
from atwork.sandbox.provider.values import reveal

DRIVER = "secrets-store-gke.csi.k8s.io"
SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105 - a type
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
_PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
_ACCESSOR = "roles/secretmanager.secretAccessor"
_VERSION_NAME = re.compile(r"projects/([^/]+)/secrets/([^/]+)/versions/([^/]+)")
_HELM_TIMEOUT = "Helm release {0} was created, but failed to initialize completely: context deadline exceeded"

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Pod:
    """The pod of one release, where it runs and as whom."""

    cloud: Cloud
    server: str
    """Address of its API server."""
    namespace: str
    account: str

    def secret(self, name: str, keys: tuple[str, ...] = ()) -> Iterator[str]:
        """What is wrong with a Kubernetes Secret that it mounts."""
        found = self.cloud.get(self.server, "kubernetes:core/v1:Secret", f"{self.namespace}/{name}")
        if found is None:
            yield f'secret "{name}" not found'
            return
        content = reveal(found.inputs)
        if content.get("type") == "kubernetes.io/service-account-token":
            return  # a controller fills it in
        there = {**(content.get("data") or {}), **(content.get("stringData") or {})}
        yield from (f'secret "{name}" has no key {key}' for key in keys if key not in there)

    def claim(self, name: str) -> Iterator[str]:
        """Whether a volume claim is there."""
        if self.cloud.get(self.server, "kubernetes:core/v1:PersistentVolumeClaim", f"{self.namespace}/{name}") is None:
            yield f'persistentvolumeclaim "{name}" not found'

    def version(self, name: str) -> Iterator[str]:
        """What the add-on would be refused: `name` is a version's resource name."""
        match = _VERSION_NAME.fullmatch(name)
        if match is None:
            yield f"{name} is not the name of a secret's version"
            return
        project, secret, wanted = match.groups()
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
            chosen = max(versions) if wanted == "latest" else int(wanted)
            if not versions.get(chosen):
                yield f"rpc error: code = FailedPrecondition desc = Secret Version [{name}] is not enabled"

    def _versions(self, secret: str) -> dict[int, bool]:
        """Whether each version is enabled, by its number."""
        start = f"{secret}/versions/"
        return {
            int(one.id.removeprefix(start)): bool(one.inputs.get("enabled", True))
            for one in self.cloud.objects("", VERSION)
            if one.id.startswith(start)
        }

    def _may_read(self, project: str, secret: str) -> bool:
        pools = {f"/workloadIdentityPools/{one}.svc.id.goog/" for one in self._cluster_projects()}
        subject = f"/subject/ns/{self.namespace}/sa/{self.account}"
        granted = [name for _, name in self.cloud.users_of(secret) if name.startswith(f"{secret}/{_ACCESSOR}/")]
        granted += [
            one.id for one in self.cloud.objects("", _PROJECT_MEMBER) if one.id.startswith(f"{project}/{_ACCESSOR}/")
        ]
        return any(one.endswith(subject) and any(pool in one for pool in pools) for one in granted)

    def _cluster_projects(self) -> Iterator[str]:
        for cluster in self.cloud.objects("", CLUSTER):
            if self.server in servers(cluster):
                yield cluster.id.split("/")[1]


def unready(release: Values, server: str, cloud: Cloud) -> list[str]:
    """Why a release's pod does not start; nothing where all that it mounts is there."""
    plain = reveal(dict(release))
    values = plain.get("values") or {}
    account = (values.get("serviceAccount") or {}).get("name") or plain["name"]
    pod = Pod(cloud, server, str(plain["namespace"]), str(account))
    reasons = [f"MountVolume.SetUp failed: {reason}" for reason in _missing(pod, values)]
    name = f"{plain['namespace']}/{plain['name']}"
    return [_HELM_TIMEOUT.format(name), *reasons] if reasons else []


def _missing(pod: Pod, values: Values) -> Iterator[str]:
    controller, persistence = values.get("controller") or {}, values.get("persistence") or {}
    for one in controller.get("additionalExistingSecrets") or ():
        yield from pod.secret(one["name"], (one["keyName"],))
    admin = controller.get("admin") or {}
    if admin.get("existingSecret") and admin.get("createSecret", True):
        yield from pod.secret(admin["existingSecret"])
    if persistence.get("existingClaim"):
        yield from pod.claim(persistence["existingClaim"])
    for volume in persistence.get("volumes") or ():
        yield from _volume(pod, volume, values)


def _volume(pod: Pod, volume: Values, values: Values) -> Iterator[str]:
    if "secret" in volume:
        yield from pod.secret(volume["secret"]["secretName"])
    if "persistentVolumeClaim" in volume:
        yield from pod.claim(volume["persistentVolumeClaim"]["claimName"])
    if (volume.get("csi") or {}).get("driver") == DRIVER:
        name = volume["csi"]["volumeAttributes"]["secretProviderClass"]
        provider = _provider_class(name, values)
        if provider is None:
            yield f'secretproviderclasses.secrets-store.csi.x-k8s.io "{name}" not found'
            return
        for entry in yaml.safe_load(provider["spec"]["parameters"]["secrets"]):
            yield from pod.version(entry["resourceName"])


def _provider_class(name: str, values: Values) -> Values | None:
    extra = values.get("extraObjects") or {}
    objects = extra.values() if isinstance(extra, Mapping) else extra
    return next(
        (one for one in objects if one["kind"] == "SecretProviderClass" and one["metadata"]["name"] == name), None
    )
