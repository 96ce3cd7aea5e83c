"""Facts in the state of a stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from atwork.engine.backend import Backend
from atwork.engine.urn import name_of

_LABEL = "%Y-%m-%dt%H-%M-%S"


def resources(backend: Backend, stack: str) -> list[dict[str, Any]]:
    """The resources in the state, without the stack itself, and those of interrupted operations."""
    state = backend.deployment(stack) or {}
    kept = [resource for resource in state.get("resources") or () if resource["type"] != "pulumi:pulumi:Stack"]
    return kept + [operation["resource"] for operation in state.get("pending_operations") or ()]


def protected(resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of the resources that the engine would not delete."""
    return [name(resource) for resource in resources if resource.get("protect")]


def deployed_end(resources: Iterable[Mapping[str, Any]]) -> datetime | None:
    """The expiry date that the last update wrote on the resources."""
    ends: list[datetime] = []
    for resource in resources:
        inputs = resource.get("inputs") or {}
        for key in ("labels", "resourceLabels"):
            label = (inputs.get(key) or {}).get("expires-at") if isinstance(inputs.get(key), dict) else None
            if isinstance(label, str):
                try:
                    ends.append(datetime.strptime(label, _LABEL).replace(tzinfo=UTC))
                except ValueError:
                    continue
    return max(ends, default=None)


def name(resource: Mapping[str, Any]) -> str:
    """The last part of a resource's URN."""
    return name_of(str(resource["urn"]))
