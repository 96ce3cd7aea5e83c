"""Addresses in the container registry, and images that are pulled through its mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.jenkins.value_types import ImageRole
from components.repositories import DOCKER_HUB
from components.versions import IMAGES

_DOCKER_HUB = "docker.io"


def host(location: str) -> str:
    """The host name of the registry in a location."""
    return f"{location}-docker.pkg.dev"


def mirror(location: str, project: str) -> str:
    """The address of the mirror of Docker Hub."""
    return f"{host(location)}/{project}/{DOCKER_HUB}"


@dataclass(frozen=True)
class Addresses:
    """Full addresses without a scheme, such as europe-docker.pkg.dev/acme-ci/services."""

    host: str
    project: str
    candidates: str
    services: str
    charts: str
    cache: str
    docker_hub: str

    @classmethod
    def at(cls, location: str, project: str, repositories: Mapping[str, str]) -> Addresses:
        """Addresses from the ids of the repositories, by the name of the field."""
        server = host(location)
        return cls(server, project, **{key: f"{server}/{project}/{name}" for key, name in repositories.items()})


@dataclass(frozen=True)
class Signing:
    """With what the promote job signs, and where it keeps its statements: names of resources without the service."""

    key_version: str
    releases: str
    provenance: str

    @classmethod
    def of(cls, names: Sequence[str]) -> Signing | None:
        """From the names in the order of the fields; None without names."""
        return cls(*names) if names else None


@dataclass(frozen=True)
class Image:
    """An image in the three parts of the chart's values."""

    registry: str
    repository: str
    tag: str

    def values(self) -> dict[str, str]:
        """The parts as values of the chart."""
        return {"registry": self.registry, "repository": self.repository, "tag": self.tag}


@dataclass(frozen=True)
class Images:
    """Images by role: from the settings of the stack, or else from components/versions.py.

    Images of Docker Hub are pulled through the registry's mirror, which has no rate limit.
    """

    mirror: str
    chosen: Mapping[ImageRole, str]

    def __getitem__(self, role: ImageRole) -> str:
        """The full reference."""
        image = self.parts(role)
        return f"{image.registry}/{image.repository}:{image.tag}"

    def parts(self, role: ImageRole) -> Image:
        """Registry, repository and tag (with a digest, if there is one)."""
        reference = self.chosen.get(role, IMAGES[role])
        host, _, path = reference.partition("/")
        if not path or not ("." in host or ":" in host):
            host, path = _DOCKER_HUB, reference
        repository, _, tag = path.partition(":")
        if host != _DOCKER_HUB:
            return Image(host, repository, tag)
        # Docker's official images have no owner in their name, but the owner `library` in their path.
        return Image(self.mirror, repository if "/" in repository else f"library/{repository}", tag)
