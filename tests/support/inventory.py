"""What the program declares, as the plain data of the golden inventories."""

from __future__ import annotations

from typing import cast

from support.mocks import Recorded, Recording


def ordered(value: object) -> object:
    """Keys by name: on the wire they have no order."""
    match value:
        case dict():
            found = cast("dict[str, object]", value)
            return {key: ordered(found[key]) for key in sorted(found)}
        case list():
            return [ordered(item) for item in cast("list[object]", value)]
        case _:
            return value


def options(one: Recorded) -> dict[str, object]:
    """The engine's own guards, where they are on."""
    guards = {"protect": one.protect, "retainOnDelete": one.retain_on_delete}
    return {key: on for key, on in guards.items() if on}


def inventory(recording: Recording) -> dict[str, object]:
    """The resources in the cloud and in clusters, as plain data."""
    resources = sorted(recording.resources.values(), key=lambda one: (one.type, one.name))
    return {f"{one.type} {one.name}": ordered({**one.inputs, **options(one)}) for one in resources if one.custom}
