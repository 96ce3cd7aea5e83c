"""What happens to each resource of the program when a change replaces it and its name stays.

`replacements.yaml` says it for every type that the stack files make; a new type has to be added there on purpose.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import internal_gateway, signing
from support.mocks import Recorded, Recording
from support.program import run_stack

from atwork.report import tables
from atwork.sandbox.provider.diff import Path as Keys
from atwork.sandbox.provider.gcp import plan
from atwork.sandbox.provider.gcp.package import GoogleCloud
from atwork.sandbox.provider.kubernetes.package import Kubernetes
from atwork.sandbox.provider.package import Package, ResourceRequest
from components.type_tokens import RELEASE
from infra.replacements import CREATED_FIRST

TABLE: dict[str, str] = yaml.safe_load(Path(__file__).with_name("replacements.yaml").read_text())
MEANINGS = {
    "created first": "it gets a new name, so both can exist",
    "refused": "the new one meets the old one's name (409), before anything is deleted",
    "deleted first": "it holds nothing: the new one takes the name that has become free",
    "new identity": "whatever replaces it gives it another identity, so both can exist",
}
PACKAGES: dict[str, Package] = {"gcp": GoogleCloud(), "kubernetes": Kubernetes()}
KUBECONFIG = '{"clusters": [{"cluster": {"server": "https://example"}}]}'
CONFIG = {"project": "acme", "region": "europe-west1", "kubeconfig": KUBECONFIG, "enableSecretMutable": True}


@pytest.fixture(scope="module")
def resources(recordings: dict[str, Recording]) -> dict[str, list[Recorded]]:
    """Resources of the three stacks by type, also with signatures of releases and with an internal gateway."""
    by_type: dict[str, list[Recorded]] = {}
    internal = run_stack("staging", internal_gateway.settings())
    for recording in (*recordings.values(), *signing.recordings("log").values(), internal):
        for resource in recording.resources.values():
            if resource.custom and resource.type.startswith(("gcp:", "kubernetes:")):
                by_type.setdefault(resource.type, []).append(resource)
    return by_type


def leaves(value: Any, path: Keys = ()) -> Iterator[Keys]:
    """Paths of all plain values."""
    if isinstance(value, dict | list) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    elif path:
        yield path


def changed(inputs: dict[str, Any], path: Keys) -> dict[str, Any]:
    """The inputs with another value at a path."""
    result = copy.deepcopy(inputs)
    target: Any = result
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = f"{target[path[-1]]}-changed"
    return result


def outcomes(resource: Recorded, package: Package) -> Iterator[tuple[Keys, str]]:
    """The outcome of a replacement for each property of a resource that causes one."""
    request = ResourceRequest(resource.type, resource.urn, CONFIG, resource.inputs)
    old = package.complete(request, {}, b"1")
    named = ResourceRequest(resource.type, resource.urn, CONFIG, old)
    for path in leaves(resource.inputs):
        forced = (resource.type, path) in plan.CONDITIONAL_REPLACEMENTS
        if path[0] in ("apiVersion", "kind") or not (forced or package.replaces(resource.type, path, CONFIG)):
            continue
        new = package.complete(
            ResourceRequest(resource.type, resource.urn, CONFIG, changed(resource.inputs, path)), {}, b"2"
        )
        replacement = ResourceRequest(resource.type, resource.urn, CONFIG, new)
        if package.identity(replacement) != package.identity(named):
            yield path, "created first" if new.get("__autonamed") else "new identity"
            continue
        first = resource.delete_before_replace
        yield (
            path,
            "deleted first"
            if (package.deletes_before_replace(replacement, old) if first is None else first)
            else "refused",
        )


@pytest.mark.parametrize("token", sorted(TABLE))
def test_a_replacement_ends_as_the_table_says(token: str, resources: dict[str, list[Recorded]]) -> None:
    assert TABLE[token] in MEANINGS
    package = PACKAGES[token.partition(":")[0]]
    results = {path: outcome for resource in resources[token] for path, outcome in outcomes(resource, package)}
    kept = {path: outcome for path, outcome in results.items() if outcome != "new identity"}
    assert (set(kept.values()) or {"new identity"}) == {TABLE[token]}, kept


def test_every_type_of_the_program_is_in_the_table(resources: dict[str, list[Recorded]]) -> None:
    assert TABLE.keys() == resources.keys()


def test_what_holds_data_is_never_deleted_first(resources: dict[str, list[Recorded]]) -> None:
    stateful = tables.stateful() & resources.keys()
    assert len(stateful) >= 15
    assert stateful - {RELEASE} <= CREATED_FIRST, "and a release is one of its name in its namespace"
    assert [token for token in stateful if TABLE[token] == "deleted first"] == []
    ordered = [resource for token in CREATED_FIRST & resources.keys() for resource in resources[token]]
    assert {resource.delete_before_replace for resource in ordered} == {False}


def test_the_order_of_everything_else_is_the_providers(resources: dict[str, list[Recorded]]) -> None:
    others = [resource for token in resources.keys() - CREATED_FIRST for resource in resources[token]]
    assert {resource.delete_before_replace for resource in others} == {None}
