"""Images of pods: whether the node can pull them; binary_authorization.py says whether they are admitted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atwork.access.model import AccessModel
from atwork.sandbox.verify import binary_authorization
from atwork.sandbox.verify.environments import EnvironmentObjects, Object
from atwork.sandbox.verify.model import Pod, PodFinding
from components.repositories import GCR_LOCATIONS
from components.type_tokens import NODE_POOL, REPOSITORY, ROUTER_NAT

PULL = "artifactregistry.repositories.downloadArtifacts"
"""https://cloud.google.com/artifact-registry/docs/access-control#permissions"""

STREAM = "serviceusage.services.use"

PUBLIC = (
    "gcr.io/cloud-sql-connectors/",
    "gcr.io/go-containerregistry/",
    "registry.k8s.io/",
    "gke.gcr.io/",
    "gcr.io/distroless/",
)
"""Public images outside of the registry; those of Docker Hub come through the registry's mirror."""

_REFERENCE = re.compile(
    r"(?P<path>[a-z0-9.-]+\.[a-z]+(?::[0-9]+)?/[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class ImageLocation:
    """The repository of an image in Artifact Registry."""

    project: str
    location: str
    repository: str

    @classmethod
    def of(cls, path: str) -> ImageLocation | None:
        """From HOST/PROJECT/REPOSITORY/IMAGE or from a name in Container Registry; None for other registries."""
        host, project, *rest = path.split("/")
        if host.endswith("-docker.pkg.dev") and len(rest) > 1:
            return cls(project, host.removesuffix("-docker.pkg.dev"), rest[0])
        if host in GCR_LOCATIONS and rest:
            return cls(project, GCR_LOCATIONS[host], host)
        return None


def check(
    pod: Pod, here: EnvironmentObjects, everywhere: Sequence[EnvironmentObjects], access: AccessModel
) -> Iterator[PodFinding]:
    """A finding for each image of a pod that its nodes cannot pull or that is not admitted."""
    for image in _images(pod):
        match = _REFERENCE.fullmatch(image)
        if match is None or not (match["tag"] or match["digest"]):
            yield pod.finding(
                "image",
                f"image {image}: not HOST/PATH with a tag or a digest",
                "the node cannot resolve it",
                "write the full name; Docker Hub's images come through the repository docker-hub",
                "ErrImagePull",
            )
            continue
        yield from _pulled(pod, image, match["path"], here, everywhere, access)
        yield from binary_authorization.check(pod, image, here, access)


def check_admission(pod: Pod, here: EnvironmentObjects, access: AccessModel) -> Iterator[PodFinding]:
    """A finding for each image of a pod that is not admitted."""
    for image in _images(pod):
        yield from binary_authorization.check(pod, image, here, access)


def _images(pod: Pod) -> list[str]:
    return sorted({str(container["image"]) for container in pod.containers()})


def _pulled(
    pod: Pod,
    image: str,
    path: str,
    here: EnvironmentObjects,
    everywhere: Sequence[EnvironmentObjects],
    access: AccessModel,
) -> Iterator[PodFinding]:
    if path.startswith(PUBLIC):
        if not here.all(ROUTER_NAT) and not path.startswith(tuple(GCR_LOCATIONS)):
            yield pod.finding(
                "image",
                f"image {image}: the cluster has no way to the internet",
                "the pull times out",
                "add Cloud NAT, or copy the image into the registry",
                "ErrImagePull",
            )
        return
    place = ImageLocation.of(path)
    repository = next((item for other in everywhere for item in other.all(REPOSITORY) if _is(item, place)), None)
    if place is None or repository is None:
        yield pod.finding(
            "image",
            f"image {image}: no environment has this repository, and it is not on the list of public images",
            "the pull ends with `not found` or 403",
            "use a repository of the registry, or add the image to PUBLIC in atwork/sandbox/verify/images.py",
            "ErrImagePull",
        )
        return
    yield from _streamed(pod, image, place, here, access)
    for account in _node_accounts(here):
        if not access.may(f"serviceAccount:{account}", PULL, str(repository["id"])):
            yield pod.finding(
                "image",
                f"image {image}: nodes of {here.name} ({account}) may not read {repository['id']}",
                "the pull ends with 403",
                f"grant roles/artifactregistry.reader on {place.repository} to the nodes' account",
                "ErrImagePull",
            )


def _streamed(
    pod: Pod, image: str, place: ImageLocation, here: EnvironmentObjects, access: AccessModel
) -> Iterator[PodFinding]:
    """Image streaming needs a permission more than a pull: in the nodes' project and in the project of the image.

    https://cloud.google.com/kubernetes-engine/docs/how-to/image-streaming#requirements
    """
    nodes = [pool["nodeConfig"] for pool in here.all(NODE_POOL)]
    streaming = [node for node in nodes if (node.get("gcfsConfig") or {}).get("enabled")]
    for account in sorted({str(node["serviceAccount"]) for node in streaming}):
        for project in sorted({here.project, place.project}):
            if not access.may(f"serviceAccount:{account}", STREAM, f"projects/{project}"):
                yield pod.finding(
                    "image",
                    f"image {image}: image streaming needs {STREAM} on projects/{project}, which {account} lacks",
                    "containers fail to start while the image is streamed",
                    "grant roles/serviceusage.serviceUsageConsumer there to the nodes' account, or turn streaming off",
                    "ErrImagePull",
                )


def _node_accounts(here: EnvironmentObjects) -> list[str]:
    """Accounts of the nodes, including those that auto-provisioning adds."""
    accounts = {str(pool["nodeConfig"]["serviceAccount"]) for pool in here.all(NODE_POOL)}
    scaling = here.cluster.get("clusterAutoscaling") or {}
    added = (scaling.get("autoProvisioningDefaults") or {}).get("serviceAccount")
    return sorted(accounts | ({str(added)} if scaling.get("enabled") and added else set()))


def _is(repository: Object, place: ImageLocation | None) -> bool:
    if place is None:
        return False
    project = str(repository["id"]).split("/")[1]
    return place == ImageLocation(project, str(repository["location"]), str(repository["repositoryId"]))
