"""What a simulated cloud must say for itself; the servicer does the rest alike for all."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from atwork.engine.urn import name_of
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.provider.diff import Change, Path, changes
from atwork.sandbox.provider.values import Json


class Refused(Exception):
    """The cloud's own no, in words for the user."""


@dataclass(frozen=True)
class Request:
    """A resource that is checked or made: its type, its name in the program, the provider's configuration."""

    token: str
    urn: str
    config: Mapping[str, Json]
    inputs: dict[str, Json] = field(default_factory=dict)

    @property
    def logical_name(self) -> str:
        """The last part of the URN."""
        return name_of(self.urn)


class Package(ABC):
    """One provider package."""

    name: str

    @abstractmethod
    def rules(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """What is known of a type's properties beyond the SDK, and of the objects in them."""

    @abstractmethod
    def completed(self, request: Request, old: Mapping[str, Json], seed: bytes) -> dict[str, Json]:
        """The inputs with what the provider fills in: an automatic name, labels."""

    @abstractmethod
    def replaces(self, token: str, path: Path, config: Mapping[str, Json]) -> bool:
        """Whether a change at a path makes a new resource."""

    def differences(
        self, request: Request, old: Mapping[str, Json], state: Mapping[str, Json]
    ) -> Iterator[tuple[Change, bool]]:
        """What differs between the last inputs and those of the request, and whether it replaces.

        `state` holds the outputs of the last update, where the engine hands them over.
        """
        del state
        for change in changes(old, request.inputs):
            yield change, self.replaces(request.token, change.path, request.config)

    @abstractmethod
    def delete_first(self, request: Request, old: Mapping[str, Json]) -> bool:
        """Whether the provider asks for the deletion of what it replaces before it creates; else the engine creates
        first."""

    def creatable(self, request: Request) -> None:
        """Raise `Refused` where the cloud has had such an object from the start."""
        del request

    def updatable(self, request: Request, state: Mapping[str, Json]) -> None:
        """Raise `Refused` where the cloud does not take a change that the provider sends."""
        del request, state

    def filled(self, request: Request, state: Mapping[str, Json]) -> Request:
        """The request with what the cloud keeps where the program says nothing."""
        del state
        return request

    @abstractmethod
    def identity(self, request: Request) -> tuple[str, str]:
        """Scope and id of the object."""

    @abstractmethod
    def scope(self, request: Request) -> str:
        """Where the object is: "" for Google Cloud, the API server's address for Kubernetes."""

    @abstractmethod
    def reachable(self, request: Request, cloud: Cloud) -> None:
        """Raise `Refused` where nobody answers: no such cluster, an API that is not enabled."""

    def lets_go(self, request: Request) -> bool:
        """Whether what cannot be reached is to be read as gone."""
        del request
        return False

    def idempotent(self, token: str) -> bool:
        """Whether making one that is there already is no error: the cloud is told the same once more."""
        del token
        return False

    def imported_id(self, token: str, identity: str) -> str:
        """The object's own id for the one that `pulumi import` was given."""
        del token
        return identity

    def imported(self, found: CloudObject) -> tuple[dict[str, Json], dict[str, Json]]:
        """Inputs and outputs of an object as an import reads them: without what only a program says."""
        return found.inputs, found.outputs

    @abstractmethod
    def links(self, request: Request) -> set[str]:
        """Ids of the objects that must exist, and stay while this one does."""

    @abstractmethod
    def outputs(self, request: Request, identity: str) -> dict[str, Json]:
        """What the cloud computes, merged over the inputs."""

    @abstractmethod
    def deletable(self, found: CloudObject, cloud: Cloud) -> None:
        """Raise `Refused` where the object is protected or in use."""

    def built(self, made: CloudObject) -> None:
        """Do what an object needs beside being recorded; raise `Refused` where it cannot be done."""
        del made

    def unready(self, made: CloudObject, cloud: Cloud) -> list[str]:
        """Why an object that was made or changed does not become ready; the engine keeps it and reports the reasons."""
        del made, cloud
        return []

    def dismantled(self, gone: CloudObject) -> None:
        """Undo what `built` did."""
        del gone

    @abstractmethod
    def gone(self, found: CloudObject, cloud: Cloud) -> None:
        """Delete the object, and what goes with it."""


def automatic_name(logical: str, seed: bytes, digits: int, *, salt: str) -> str:
    """`LOGICAL-HEX`, the same again for the same seed of the engine."""
    return f"{logical}-{hashlib.sha256(seed + salt.encode()).hexdigest()[:digits]}"


def stable(*parts: str, digits: int = 32) -> str:
    """Hexadecimal digits that depend on the parts alone, so that outputs are the same in every run."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:digits]


def number(*parts: str, digits: int = 12) -> str:
    """A decimal number that depends on the parts alone; its first digit is not 0."""
    value = int(stable(*parts), 16) % (9 * 10 ** (digits - 1))
    return str(value + 10 ** (digits - 1))
