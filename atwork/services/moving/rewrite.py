"""The states of two stacks after the resources of a service have moved from one to the other.

`pulumi state move` does not fit. In an environment's stack the database and the login of a service are children of the
instance's component, in a group's stack of a component of their own, and the database has another name there. With
`--include-parents` that command moves the instance with them; without, their parent is the stack, and both components
would need aliases for ever. After a kill between its two writes it cannot continue, because the resources are in both
states. These functions write what the program declares, and the result is the same when they are repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from atwork.engine.urn import STACK_TYPE, child_of, name_of, provider_of, root_of, type_of
from atwork.errors import BackendError
from atwork.services.moving.names import DATABASE_OF_SERVICE, ServiceNames
from infra import PROJECT

Deployment = Mapping[str, Any]
Resource = Mapping[str, Any]

_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (not a secret: the mark of one)
"""The engine's mark of a secret value in a state."""


def resources_of(names: ServiceNames, state: Deployment) -> list[Resource]:
    """The resources of a service in a state, parents first."""
    chosen: dict[str, Resource] = {}
    for resource in _resources(state):
        urn, parent = str(resource["urn"]), str(resource.get("parent", ""))
        in_instance = _identity(parent) == names.in_instance and name_of(urn) in names.names_in_instance
        if parent in chosen or _identity(urn) in names.components or in_instance:
            chosen[urn] = resource
    return list(chosen.values())


def moved(
    names: ServiceNames, source: Deployment, target: Deployment, *, to: str, own: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both states after the move to the stack `to`; `own` is whether that is the stack of a group.

    What the target has already, from a move that was interrupted, stays as it is there; `BackendError` if it is another
    object.
    """
    moving = resources_of(names, source)
    existing = {str(resource["urn"]): resource for resource in _resources(target)}
    root = root_of(to, PROJECT)
    urns = _new_urns(names, moving, root, own=own)
    providers = _providers(moving, source, to)
    urns |= {str(old["urn"]): new for new, old in providers.items()}

    additions: dict[str, dict[str, Any]] = {}
    additions[root] = {"urn": root, "custom": False, "type": STACK_TYPE}
    for urn, resource in providers.items():
        additions[urn] = {**resource, "urn": urn, "parent": root}
    if own and any(_identity(str(resource.get("parent", ""))) == names.in_instance for resource in moving):
        component = child_of(root, *names.database_component)
        additions[component] = {"urn": component, "custom": False, "type": DATABASE_OF_SERVICE, "parent": root}
    for resource in moving:
        urn = str(resource["urn"])
        if urn not in urns:  # the component of the database, which an environment's stack does not have
            continue
        there = existing.get(urns[urn], resource)
        if there.get("id") != resource.get("id"):
            raise BackendError(
                f"{to}: {name_of(urn)} is {there.get('id')} there and {resource.get('id')} in the old stack; remove "
                "the wrong one with `pulumi state delete`"
            )
        parent = _parent(names, resource, urns, root, own=own)
        additions[urns[urn]] = {**resource, "urn": urns[urn], "parent": parent}

    together = additions | existing
    new = [_within(resource, urns, together) for urn, resource in additions.items() if urn not in existing]
    gone = {str(resource["urn"]) for resource in moving}
    left = [_without(resource, gone) for resource in _resources(source) if resource["urn"] not in gone]
    manifest = target.get("manifest") or source.get("manifest") or {}
    return {**source, "resources": left}, {**target, "manifest": manifest, "resources": [*_resources(target), *new]}


def added(before: Deployment, after: Deployment) -> list[Resource]:
    """The resources of a state that it did not have before."""
    existing = {resource["urn"] for resource in _resources(before)}
    return [resource for resource in _resources(after) if resource["urn"] not in existing]


def has_secrets(resources: Iterable[Resource]) -> bool:
    """Whether there are secret values in resources, which each stack encrypts with a key of its own."""
    return any(_SECRET in json.dumps(resource) for resource in resources)


def unresolved(names: ServiceNames, state: Deployment) -> list[str]:
    """Names of the resources that an interrupted update left: pending operations, and deletions to come."""
    operations = [str(operation["resource"]["urn"]) for operation in state.get("pending_operations") or ()]
    deletions = [str(resource["urn"]) for resource in resources_of(names, state) if resource.get("delete")]
    return [name_of(urn) for urn in operations + deletions]


def _new_urns(names: ServiceNames, moving: Sequence[Resource], root: str, *, own: bool) -> dict[str, str]:
    """Old to new URN of each resource that the target gets."""
    urns: dict[str, str] = {}
    for resource in moving:
        urn, kind = str(resource["urn"]), str(resource["type"])
        if kind == DATABASE_OF_SERVICE and not own:
            continue
        urns[urn] = child_of(_parent(names, resource, urns, root, own=own), kind, _name(names, resource, own=own))
    return urns


def _parent(names: ServiceNames, resource: Resource, urns: Mapping[str, str], root: str, *, own: bool) -> str:
    parent = str(resource.get("parent", ""))
    if parent in urns:
        return urns[parent]
    if own and _identity(parent) == names.in_instance:
        return child_of(root, *names.database_component)
    if not own and _identity(parent) == names.database_component:
        return child_of(root, *names.in_instance)
    return root


def _name(names: ServiceNames, resource: Resource, *, own: bool) -> str:
    name, parent = name_of(str(resource["urn"])), _identity(str(resource.get("parent", "")))
    if own and parent == names.in_instance:
        return names.names_in_instance[name]
    if not own and parent == names.database_component:
        return names.names_in_group[name]
    return name


def _providers(moving: Iterable[Resource], source: Deployment, to: str) -> dict[str, Resource]:
    """The providers of the resources by their URN in the target; both programs give them the same names."""
    needed = {provider_of(str(resource.get("provider", ""))) for resource in moving}
    return {
        child_of(root_of(to, PROJECT), str(resource["type"]), name_of(str(resource["urn"]))): resource
        for resource in _resources(source)
        if resource["urn"] in needed
    }


def _within(resource: Resource, urns: Mapping[str, str], target: Mapping[str, Resource]) -> dict[str, Any]:
    """A resource in its new stack: it refers to resources of that stack only."""

    def of(items: Iterable[str]) -> list[str]:
        return [urns[item] for item in items if item in urns]

    result = dict(resource)
    if provider := provider_of(str(resource.get("provider", ""))):
        result["provider"] = f"{urns[provider]}::{target[urns[provider]]['id']}"
    return _with_references(result, of)


def _without(resource: Resource, gone: Iterable[str]) -> dict[str, Any]:
    """A resource of the old stack: it no longer refers to what has moved."""
    return _with_references(dict(resource), lambda items: [item for item in items if item not in gone])


def _with_references(resource: dict[str, Any], of: Callable[[Iterable[str]], list[str]]) -> dict[str, Any]:
    if "dependencies" in resource:
        resource["dependencies"] = of(resource["dependencies"] or ())
    if "propertyDependencies" in resource:
        by_property = resource["propertyDependencies"] or {}
        resource["propertyDependencies"] = {key: of(urns or ()) for key, urns in by_property.items()}
    if "deletedWith" in resource:
        resource["deletedWith"] = "".join(of([resource["deletedWith"]]))
    return resource


def _identity(urn: str) -> tuple[str, str]:
    return type_of(urn), name_of(urn)


def _resources(state: Deployment) -> Sequence[Resource]:
    return state.get("resources") or ()
