"""Resources for pictures: made in the test, or declared by the program under mocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from support.mocks import Recorded, Recording

from atwork.graph.resources import StackResource

NETWORK = "gcp:compute/network:Network"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
NAMESPACE = "kubernetes:core/v1:Namespace"


def resource(
    kind: str, name: str, inputs: Mapping[str, Any] | None = None, *, parent: str = "", stack: str = "staging"
) -> StackResource:
    """A resource with the URN that the engine would give it; `parent` is the URN of a component."""
    chain = f"{parent.split('::')[2]}$" if parent else ""
    return StackResource(f"urn:pulumi:{stack}::atwork::{chain}{kind}::{name}", kind, inputs or {}, parent)


def provider(project: str, stack: str = "staging") -> StackResource:
    """The provider that names the project and the region of a stack."""
    return resource("pulumi:providers:gcp", "gcp", {"project": project, "region": "europe-west1"}, stack=stack)


def declared(stack: str, recording: Recording) -> list[StackResource]:
    """The resources that the program declares, with the URNs of the engine, which contain the types of all parents."""
    urns: dict[str, str] = {}

    def urn(recorded: Recorded) -> str:
        parent = recording.resources.get(recorded.parent)
        chain = f"{urn(parent).split('::')[2]}$" if parent else ""
        return urns.setdefault(recorded.urn, f"urn:pulumi:{stack}::atwork::{chain}{recorded.type}::{recorded.name}")

    return [
        StackResource(
            urn(recorded),
            recorded.type,
            recorded.inputs,
            urn(parent) if (parent := recording.resources.get(recorded.parent)) else "",
        )
        for recorded in recording.resources.values()
    ]


def parsed(svg: str) -> ET.Element:
    """The picture as a tree; fails if it is not XML."""
    return ET.fromstring(svg.encode())  # noqa: S314 (our own output)
