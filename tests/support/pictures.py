"""Resources as a picture is drawn from: hand-made ones, and what the program declares under mocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from support.mocks import Recorded, Recording

from atwork.graph.resources import Resource

NETWORK = "gcp:compute/network:Network"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
NAMESPACE = "kubernetes:core/v1:Namespace"


def made(
    kind: str, name: str, inputs: Mapping[str, Any] | None = None, *, parent: str = "", stack: str = "staging"
) -> Resource:
    """A resource as the engine would name it; `parent` is the URN of a component."""
    chain = f"{parent.split('::')[2]}$" if parent else ""
    return Resource(f"urn:pulumi:{stack}::atwork::{chain}{kind}::{name}", kind, inputs or {}, parent)


def cloud(project: str, stack: str = "staging") -> Resource:
    """The provider that says which project and region a stack is in."""
    return made("pulumi:providers:gcp", "gcp", {"project": project, "region": "europe-west1"}, stack=stack)


def declared(stack: str, recording: Recording) -> list[Resource]:
    """What the program declares, with the URNs that the engine makes: with the types of all parents."""
    urns: dict[str, str] = {}

    def urn(one: Recorded) -> str:
        parent = recording.resources.get(one.parent)
        chain = f"{urn(parent).split('::')[2]}$" if parent else ""
        return urns.setdefault(one.urn, f"urn:pulumi:{stack}::atwork::{chain}{one.type}::{one.name}")

    return [
        Resource(urn(one), one.type, one.inputs, urn(parent) if (parent := recording.resources.get(one.parent)) else "")
        for one in recording.resources.values()
    ]


def parsed(svg: str) -> ET.Element:
    """The picture as a tree; it fails where it is no XML."""
    return ET.fromstring(svg.encode())  # noqa: S314 (we made it ourselves)
