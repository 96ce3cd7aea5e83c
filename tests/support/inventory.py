"""What the program declares, as the plain data of the golden inventories."""

from __future__ import annotations

from typing import cast

from support.mocks import Recorded, Recording


def ordered(value: object) -> object:
    """Keys by name: on the wire they have no order."""
    match value:
        case dict():
            mapping = cast("dict[str, object]", value)
            return {key: ordered(mapping[key]) for key in sorted(mapping)}
        case list():
            return [ordered(item) for item in cast("list[object]", value)]
        case _:
            return value


def options(resource: Recorded) -> dict[str, object]:
    """The engine's own guards, where they are on."""
    guards = {"protect": resource.protect, "retainOnDelete": resource.retain_on_delete}
    return {key: on for key, on in guards.items() if on}


def inventory(recording: Recording) -> dict[str, object]:
    """The resources in the cloud and in clusters, as plain data."""
    resources = sorted(recording.resources.values(), key=lambda resource: (resource.type, resource.name))
    return {
        f"{resource.type} {resource.name}": ordered({**resource.inputs, **options(resource)})
        for resource in resources
        if resource.custom
    }
