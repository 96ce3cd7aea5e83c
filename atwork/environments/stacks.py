"""Facts in the state of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from atwork.engine.backend import Backend
from atwork.engine.urn import name_of

_LABEL = "%Y-%m-%dt%H-%M-%S"


def resources(backend: Backend, stack: str) -> list[dict[str, Any]]:
    """What the state holds, without the stack itself; and what an interrupted update left."""
    state = backend.deployment(stack) or {}
    found = [one for one in state.get("resources") or () if one["type"] != "pulumi:pulumi:Stack"]
    return found + [one["resource"] for one in state.get("pending_operations") or ()]


def protected(found: list[dict[str, Any]]) -> list[str]:
    """Names of the resources that the engine would not delete."""
    return [name(one) for one in found if one.get("protect")]


def deployed_end(found: list[dict[str, Any]]) -> datetime | None:
    """The end that the last update wrote on the resources."""
    ends: list[datetime] = []
    for one in found:
        inputs = one.get("inputs") or {}
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
