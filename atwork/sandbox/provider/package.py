"""What each simulated provider package implements; the servicer does what all packages have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from atwork.engine.urn import name_of
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.provider.diff import Path, PropertyChange, changes
from atwork.sandbox.provider.values import Json


@dataclass(frozen=True)
class ResourceRequest:
    """One resource in a call of the engine: type token, URN, configuration of its provider, inputs."""

    token: str
    urn: str
    config: Mapping[str, Json]
    inputs: dict[str, Json] = field(default_factory=dict)

    @property
    def logical_name(self) -> str:
        """The name of the resource in the program."""
        return name_of(self.urn)


class Package(ABC):
    """One provider package. Methods that refuse a call raise `errors.Refused`."""

    name: str

    # Check and Diff

    @abstractmethod
    def rules(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Rules for the properties of a type that the SDK does not state, and for the objects in these properties."""

    @abstractmethod
    def complete(self, resource: ResourceRequest, old: Mapping[str, Json], seed: bytes) -> dict[str, Json]:
        """The inputs with the defaults of the provider, such as an automatic name."""

    @abstractmethod
    def replaces(self, token: str, path: Path, config: Mapping[str, Json]) -> bool:
        """Whether a change at a path replaces the resource."""

    def differences(
        self, resource: ResourceRequest, old: Mapping[str, Json], state: Mapping[str, Json]
    ) -> Iterator[tuple[PropertyChange, bool]]:
        """The changes between the old inputs and those of the request, and whether each replaces the resource.

        `state` holds the outputs of the last update if the engine sends them.
        """
        del state
        for change in changes(old, resource.inputs):
            yield change, self.replaces(resource.token, change.path, resource.config)

    @abstractmethod
    def deletes_before_replace(self, resource: ResourceRequest, old: Mapping[str, Json]) -> bool:
        """Whether a replacement deletes the old resource first; by default the engine creates the new one first."""

    def replacing_config_keys(self, old: Mapping[str, Json], new: Mapping[str, Json]) -> set[str]:
        """Keys of the provider's configuration whose change replaces the provider and all its resources."""
        del old, new
        return set()

    # Identity

    @abstractmethod
    def identity(self, resource: ResourceRequest) -> tuple[str, str]:
        """Scope and id of the object."""

    @abstractmethod
    def scope(self, resource: ResourceRequest) -> str:
        """Scope of the object: "" for Google Cloud, the address of the API server for Kubernetes."""

    def id_for_import(self, token: str, identity: str) -> str:
        """The id of the object for the id that was given to `pulumi import`."""
        del token
        return identity

    # Reachability and references

    @abstractmethod
    def check_reachable(self, resource: ResourceRequest, cloud: Cloud) -> None:
        """Refuse a call that nothing answers: the cluster does not exist, the API is not enabled."""

    def unreachable_is_deleted(self, resource: ResourceRequest) -> bool:
        """Whether a read treats an unreachable object as deleted."""
        del resource
        return False

    @abstractmethod
    def references(self, resource: ResourceRequest) -> set[str]:
        """Ids of the objects that the inputs refer to; they cannot be deleted while this object exists."""

    @abstractmethod
    def check_reference(self, reference: str, cloud: Cloud) -> None:
        """Refuse a reference to an object that does not exist."""

    # Create, Read, Update, Delete

    def check_create(self, resource: ResourceRequest) -> None:
        """Refuse to create an object that exists without having been created."""
        del resource

    def check_update(self, resource: ResourceRequest, state: Mapping[str, Json]) -> None:
        """Refuse a change that the provider sends and the cloud does not allow."""
        del resource, state

    def with_kept_values(self, resource: ResourceRequest, state: Mapping[str, Json]) -> ResourceRequest:
        """The request with the values of the state that the cloud keeps when the program omits them."""
        del state
        return resource

    def create_is_idempotent(self, token: str) -> bool:
        """Whether creating an existing object overwrites it instead of failing."""
        del token
        return False

    def read_for_import(self, existing: CloudObject) -> tuple[dict[str, Json], dict[str, Json]]:
        """Inputs and outputs of an object as an import reads them, without settings that only a program has."""
        return existing.inputs, existing.outputs

    @abstractmethod
    def outputs(self, resource: ResourceRequest, identity: str) -> dict[str, Json]:
        """The inputs with what the cloud computes."""

    def settle(self, changed: CloudObject, cloud: Cloud) -> None:
        """Let the controllers of the cloud follow a created or updated object."""
        del changed, cloud

    def provision(self, created: CloudObject) -> None:
        """Start what runs behind a recorded object."""
        del created

    def readiness_problems(self, changed: CloudObject, cloud: Cloud) -> list[str]:
        """Why a created or updated object does not become ready; the engine keeps it and reports the reasons."""
        del changed, cloud
        return []

    @abstractmethod
    def check_delete(self, existing: CloudObject, cloud: Cloud) -> None:
        """Refuse to delete an object that is protected or in use."""

    @abstractmethod
    def delete(self, existing: CloudObject, cloud: Cloud) -> None:
        """Delete the object and what is deleted with it."""

    def deprovision(self, deleted: CloudObject) -> None:
        """Stop what `provision` started."""
        del deleted
