"""The rewriting of states: after a move, both stacks have what their programs declare, with the same identities."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.groups import separate_stacks
from support.mocks import Recording

from atwork.engine.urn import child_of, name_of, provider_of, root_of, stack_of
from atwork.errors import BackendError
from atwork.services.moving.names import ServiceNames
from atwork.services.moving.rewrite import added, has_secrets, moved, resources_of, unresolved

ORDERS = ServiceNames("orders", "main", "orders")
DATABASE = ("atwork:database:Database", "atwork:service_database:ServiceDatabase")
State = dict[str, Any]


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    return separate_stacks(tmp_path_factory.mktemp("apart"))


def state_of(recording: Recording, stack: str) -> State:
    """The state after an update of a stack with these resources; an identity is the type and the name of the cloud."""
    root = root_of(stack, "atwork")
    urns: dict[str, str] = {}
    resources: list[dict[str, Any]] = [{"urn": root, "custom": False, "type": "pulumi:pulumi:Stack"}]
    for urn, item in recording.resources.items():
        if item.type == "pulumi:pulumi:StackReference":
            continue
        parent = urns.get(item.parent, root)
        urns[urn] = child_of(parent, item.type, item.name)
        resource: dict[str, Any] = {"urn": urns[urn], "custom": item.custom, "type": item.type, "parent": parent}
        if item.custom:
            resource |= {"id": f"id of {json.dumps(item.inputs, sort_keys=True)}", "inputs": item.inputs}
            resource["dependencies"] = [urns[dependency] for dependency in item.depends_on if dependency in urns]
        if item.provider:
            provider, _, identity = item.provider.rpartition("::")
            resource["provider"] = f"{urns[provider]}::{identity}"
        resources.append(resource)
    for resource in resources:
        if resource["type"].startswith("pulumi:providers:"):
            resource["id"] = f"{stack}-{resource['type']}"
    for resource in resources:
        if provider := provider_of(resource.get("provider", "")):
            resource["provider"] = f"{provider}::{stack}-{provider.split('::')[2]}"
    return {"manifest": {"magic": stack}, "resources": resources}


def by_urn(state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    urns = [resource["urn"] for resource in state["resources"]]
    assert len(urns) == len(set(urns))
    return {resource["urn"]: resource for resource in state["resources"]}


def references(resource: Mapping[str, Any]) -> Iterator[str]:
    yield from resource.get("dependencies") or ()
    for urns in (resource.get("propertyDependencies") or {}).values():
        yield from urns
    yield from filter(None, [resource.get("parent"), resource.get("deletedWith")])
    yield from filter(None, [provider_of(resource.get("provider", ""))])


def check_integrity(state: Mapping[str, Any], stack: str) -> None:
    """What the engine requires of a state: a resource refers to earlier ones of the same stack only."""
    earlier: dict[str, Mapping[str, Any]] = {}
    for urn, resource in by_urn(state).items():
        assert stack_of(urn) == stack
        for reference in references(resource):
            assert reference in earlier, f"{name_of(urn)} refers to {reference}"
        if provider := provider_of(resource.get("provider", "")):
            assert resource["provider"] == f"{provider}::{earlier[provider]['id']}"
        earlier[urn] = resource


def objects(*states: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Types and identities of everything in the cloud."""
    return sorted(
        (resource["type"], resource["id"])
        for state in states
        for resource in state["resources"]
        if resource.get("custom") and not resource["type"].startswith("pulumi:")
    )


def declared(state: Mapping[str, Any]) -> set[str]:
    return {resource["urn"] for resource in state["resources"]}


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_move_to_a_group_and_back_gives_what_the_programs_declare(
    environment: str,
    apart: dict[str, Recording],
    recordings: dict[str, Recording],
) -> None:
    group = f"{environment}.payments"
    together = state_of(recordings[environment], environment)
    source, target = moved(ORDERS, together, {}, to=group, own=True)
    check_integrity(source, environment)
    check_integrity(target, group)
    assert declared(source) == declared(state_of(apart[environment], environment))
    assert declared(target) == declared(state_of(apart[group], group))
    assert objects(source, target) == objects(together)
    assert not resources_of(ORDERS, source)
    assert len(resources_of(ORDERS, target)) > 20

    emptied, back = moved(ORDERS, target, source, to=environment, own=False)
    check_integrity(back, environment)
    assert declared(back) == declared(together)
    assert objects(back) == objects(together)
    assert {urn.split("::")[2] for urn in declared(emptied)} == {
        "pulumi:pulumi:Stack",
        "pulumi:providers:gcp",
        "pulumi:providers:kubernetes",
    }


def test_a_group_that_has_its_providers_keeps_them(recordings: dict[str, Recording]) -> None:
    together = state_of(recordings["staging"], "staging")
    _, other = moved(ORDERS, together, {}, to="staging.payments", own=True)
    empty, _ = moved(ORDERS, other, {}, to="staging.retail", own=True)
    for resource in empty["resources"]:
        if resource["type"].startswith("pulumi:providers:"):
            resource["id"] = f"own-{resource['type']}"
    _, target = moved(ORDERS, together, empty, to="staging.payments", own=True)
    check_integrity(target, "staging.payments")
    assert {resource["provider"].split("::")[-1] for resource in target["resources"] if "provider" in resource} == {
        "own-pulumi:providers:gcp",
        "own-pulumi:providers:kubernetes",
    }


def test_between_groups_the_component_of_the_database_moves_as_it_is(recordings: dict[str, Recording]) -> None:
    _, first = moved(ORDERS, state_of(recordings["staging"], "staging"), {}, to="staging.payments", own=True)
    left, second = moved(ORDERS, first, {}, to="staging.retail", own=True)
    check_integrity(second, "staging.retail")
    assert not resources_of(ORDERS, left)
    renamed = {urn.replace("staging.payments", "staging.retail") for urn in declared(first)}
    assert declared(second) == renamed
    assert {resource["type"] for resource in resources_of(ORDERS, second)} & set(DATABASE) == {DATABASE[1]}


@pytest.mark.parametrize("written", ["target", "both"])
def test_a_move_that_was_interrupted_is_completed_by_a_repetition(
    written: str, recordings: dict[str, Recording]
) -> None:
    before = state_of(recordings["staging"], "staging")
    source, target = moved(ORDERS, before, {}, to="staging.payments", own=True)
    left = before if written == "target" else source
    assert moved(ORDERS, left, target, to="staging.payments", own=True) == (source, target)
    assert added(target, target) == []


def test_another_object_of_the_same_name_is_refused() -> None:
    names, state = ServiceNames("a", "main", "db_a"), environment_with(["a"])
    _, target = moved(names, state, {}, to="staging.group", own=True)
    target["resources"][-1]["id"] = "other"
    with pytest.raises(BackendError, match=r"staging\.group: tenant-a-namespace is other there and a in the old stack"):
        moved(names, state, target, to="staging.group", own=True)


def names_of_services() -> st.SearchStrategy[str]:
    return st.sampled_from(["a", "b", "a-b", "b-a", "a-user", "a-b-account", "user", "group-a", "a-database"])


def login(names: ServiceNames, instance: str, root: str) -> Iterator[dict[str, Any]]:
    """A service with a login and a namespace in the state of an environment."""
    for old in names.names_in_instance:
        kind = "gcp:sql/database:Database" if old.endswith(names.database) else "gcp:sql/user:User"
        yield {"urn": child_of(instance, kind, old), "type": kind, "custom": True, "id": old, "parent": instance}
    tenant = child_of(root, "atwork:tenant:Tenant", f"tenant-{names.service}")
    yield {"urn": tenant, "type": "atwork:tenant:Tenant", "custom": False, "parent": root}
    kind = "kubernetes:core/v1:Namespace"
    yield {
        "urn": child_of(tenant, kind, f"tenant-{names.service}-namespace"),
        "type": kind,
        "custom": True,
        "id": names.service,
        "parent": tenant,
    }


def environment_with(services: Iterable[str]) -> State:
    root = root_of("staging", "atwork")
    instance = child_of(root, DATABASE[0], "database-main")
    resources: list[dict[str, Any]] = [
        {"urn": root, "type": "pulumi:pulumi:Stack", "custom": False},
        {"urn": instance, "type": DATABASE[0], "custom": False, "parent": root},
    ]
    for service in services:
        resources += login(ServiceNames(service, "main", f"db_{service.replace('-', '_')}"), instance, root)
    return {"manifest": {}, "resources": resources}


@given(
    services=st.lists(names_of_services(), min_size=1, unique=True),
    links=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200))),
    data=st.data(),
)
def test_other_services_stay_and_nothing_is_lost(
    services: list[str], links: list[tuple[int, int]], data: st.DataObject
) -> None:
    state = environment_with(services)
    resources = state["resources"]
    for later, earlier in ((max(pair) % len(resources), min(pair) % len(resources)) for pair in links):
        if earlier < later:
            urn = resources[earlier]["urn"]
            resources[later].setdefault("dependencies", []).append(urn)
            resources[later].setdefault("propertyDependencies", {}).setdefault("name", []).append(urn)
            resources[later]["deletedWith"] = urn
    chosen = data.draw(st.sampled_from(services))
    names = ServiceNames(chosen, "main", f"db_{chosen.replace('-', '_')}")
    before = json.dumps(state)
    source, target = moved(names, state, {}, to="staging.group", own=True)
    assert json.dumps(state) == before, "the states of the caller are not changed"
    check_integrity(source, "staging")
    check_integrity(target, "staging.group")
    assert objects(source, target) == objects(state)
    assert declared(source) == declared(environment_with(service for service in services if service != chosen))
    again, back = moved(names, target, source, to="staging", own=False)
    check_integrity(back, "staging")
    assert declared(back) == declared(state)
    assert objects(again) == []


def test_a_secret_and_an_interrupted_update_are_recognized() -> None:
    state = environment_with(["a"])
    names = ServiceNames("a", "main", "db_a")
    assert not has_secrets(state["resources"])
    assert has_secrets([{"outputs": {"key": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}}}])
    assert unresolved(names, state) == []
    state["resources"][-1]["delete"] = True
    state["pending_operations"] = [
        {"resource": {"urn": "urn:pulumi:staging::atwork::gcp:x/y:Y::z"}, "type": "creating"}
    ]
    assert unresolved(names, state) == ["z", "tenant-a-namespace"]
