"""What a preview does not know yet breaks no rule, and what the inputs show is reported all the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy
from support.mocks import Recording
from support.policies import BROKEN, CLUSTER, NAMESPACE, RULES, SQL, environments, violations

from policies.pack import Here
from policies.properties import merged
from policies.rule import UNKNOWN, Resource
from policies.rules import ALL

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
DENY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
BY_TYPE_ALONE = {
    "deletion-guards", "backup-of-clusters", "no-secret-values", "registry-not-gcr", "iam-additive", "iam-no-keys",
    "namespace-quota", "namespace-default-deny",
}  # fmt: skip
"""Rules that need no property to be broken: by a type, by `protect`, by a resource that is not there at all."""


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value: of maps, of lists and of what is in them."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from paths(item, (*path, key))


def unknown_at(properties: Any, path: tuple[Any, ...]) -> Any:
    """A copy in which the value at a path is not known."""
    if not path:
        return UNKNOWN
    copied = dict(properties) if isinstance(properties, Mapping) else list(properties)
    copied[path[0]] = unknown_at(copied[path[0]], path[1:])
    return copied


def test_no_value_of_a_real_environment_breaks_a_rule_while_it_is_not_known(recordings: dict[str, Recording]) -> None:
    tried = 0
    for resources in environments(recordings).values():
        for rule in ALL:
            seen = [one for one in resources if rule.applies(one.type)]
            before = set(violations(rule, seen))
            # Rules over all resources look at the few together; the others at one resource, each kind of it once.
            distinct = {(one.type, json.dumps(one.properties, sort_keys=True)): one for one in seen}
            for one in seen if rule.stack else distinct.values():
                others = [other for other in seen if other is not one] if rule.stack else []
                for path in [(), *paths(one.properties)]:
                    tried += 1
                    changed = replace(one, properties=unknown_at(one.properties, path))
                    assert set(violations(rule, [*others, changed])) <= before, (rule.name, one.name, path)
    assert tried > 5000


@pytest.mark.parametrize(("name", "token", "properties", "message"), BROKEN, ids=[one[0] for one in BROKEN])
def test_a_rule_is_silent_where_nothing_is_known(name: str, token: str, properties: Any, message: str) -> None:
    del properties
    one = Resource(token, "it", UNKNOWN)
    assert bool(violations(RULES[name], [one])) is (name in BY_TYPE_ALONE), message


@pytest.mark.parametrize(("name", "token", "properties", "message"), BROKEN, ids=[one[0] for one in BROKEN])
def test_a_value_that_is_not_known_yet_breaks_nothing(name: str, token: str, properties: Any, message: str) -> None:
    if name in BY_TYPE_ALONE:
        return
    for path in paths(properties):
        found = violations(RULES[name], [Resource(token, "it", unknown_at(properties, path))])
        shown = violations(RULES[name], [Resource(token, "it", properties)])
        assert set(found) <= set(shown), path


@dataclass(frozen=True)
class Registered:
    """A resource as the engine shows it to a pack: inputs at its registration, outputs at the end."""

    type: str
    name: str
    inputs: Any
    outputs: Any = field(default_factory=dict[str, Any])
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Names of the resources that a property takes values from."""

    @property
    def urn(self) -> str:
        return f"urn:pulumi:test::atwork::{self.type}::{self.name}"


def reported(here: Here, *resources: Registered) -> list[str]:
    """What a pack reports of a preview of these resources."""
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    found: list[str] = []
    for one in resources:
        inputs = unknown_checking_proxy(wire(one.inputs))
        args = ResourceValidationArgs(one.type, inputs, one.urn, one.name, options, None)
        for policy in here.policies:
            if isinstance(policy, ResourceValidationPolicy):
                policy.validate(args, lambda message, _urn=None, name=policy.name: found.append(f"{name}: {message}"))
    seen = {
        one.name: PolicyResource(
            one.type, unknown_checking_proxy(wire(one.outputs)), one.urn, one.name, options, None, None, [], {}
        )
        for one in resources
    }
    for one in resources:
        seen[one.name].property_dependencies = {
            key: [seen[name] for name in names] for key, names in one.sources.items()
        }
    for policy in here.policies:
        if isinstance(policy, StackValidationPolicy):
            policy.validate(
                StackValidationArgs(list(seen.values())),
                lambda message, _urn=None, name=policy.name: found.append(f"{name}: {message}"),
            )
    return found


def wire(value: Any) -> Any:
    """Values as the engine sends them."""
    if isinstance(value, Mapping):
        return {key: wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [wire(item) for item in value]
    return UNKNOWN_STRING_VALUE if value is UNKNOWN else value


@pytest.mark.parametrize(("name", "token", "properties", "message"), BROKEN, ids=[one[0] for one in BROKEN])
@pytest.mark.parametrize("answered", [False, True])
def test_what_breaks_a_rule_is_reported_with_and_without_outputs(
    name: str, token: str, properties: Any, message: str, *, answered: bool
) -> None:
    one = Registered(token, "it", properties, properties if answered else {})
    assert [said for said in reported(Here({}), one) if said.startswith(f"{name}: ") and re.search(message, said)]


def namespace(logical: str, **metadata: Any) -> Registered:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return Registered(NAMESPACE, logical, {"metadata": {"labels": labels, **metadata}})


def inside(token: str, name: str, place: Any = None, spec: Any = None, source: str = "") -> Registered:
    metadata = {"name": name, **({"namespace": place} if place is not None else {})}
    return Registered(token, name, {"metadata": metadata, "spec": spec or {}}, {}, {"metadata": (source,)} if source else {})  # fmt: skip


def about(resources: list[Registered], rule: str = "namespace-default-deny") -> list[str]:
    return [said.removeprefix(f"{rule}: ") for said in reported(Here({}), *resources) if said.startswith(rule)]


MISSING = "has no NetworkPolicy that denies all traffic"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([namespace("n", name="a")], [f"namespace a {MISSING}"]),
        ([namespace("n")], [f"namespace n {MISSING}"]),  # the provider gives it a name
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", DENY)], []),
        ([namespace("n", name="a"), inside(POLICY, "deny", "b", DENY)], [f"namespace a {MISSING}"]),
        ([namespace("n", name="a"), inside(POLICY, "deny", UNKNOWN, DENY, "n")], []),
        ([namespace("n", name="a"), namespace("m", name="b"), inside(POLICY, "deny", UNKNOWN, DENY, "n")],
         [f"namespace b {MISSING}"]),  # a name that is not known yet, of another namespace
        ([namespace("n", name="a"), inside(POLICY, "deny", UNKNOWN, DENY)], []),  # it may be any
        ([namespace("n", name="a"), inside(POLICY, "deny", None, DENY)], []),  # the provider's own namespace
        ([namespace("n", name=UNKNOWN), inside(POLICY, "deny", "a", DENY)], []),
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "ingress": [{}]})], [f"namespace a {MISSING}"]),
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "ingress": UNKNOWN})], []),
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "podSelector": {"matchLabels": UNKNOWN}})], []),
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "podSelector": {"matchLabels": {"a": UNKNOWN}}})],
         [f"namespace a {MISSING}"]),
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "policyTypes": ["Ingress", UNKNOWN]})], []),
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "policyTypes": UNKNOWN})], []),
    ],
)  # fmt: skip
def test_a_first_preview_decides_by_the_inputs(resources: list[Registered], expected: list[str]) -> None:
    assert about(resources) == expected


def test_a_resource_that_was_never_registered_is_not_known_at_all() -> None:
    """An update of chosen targets keeps others in the state, and their provider may have nothing to say of them."""
    here = Here({})
    one = namespace("n", name="a")
    policy = Registered(POLICY, "deny", UNKNOWN)
    reported(here, one, policy)
    del here.inputs[policy.urn]
    stack = [held for held in here.held if held.name == "namespace-default-deny"]
    here.policies = list(stack)
    assert reported(here, one, policy) == []


FLAG = {"name": "log_connections", "value": "on"}


@pytest.mark.parametrize(
    ("flags", "reported_flags"),
    [
        (UNKNOWN, []),
        ([UNKNOWN], []),
        ([FLAG, UNKNOWN], []),
        ([{"name": UNKNOWN, "value": "on"}], []),
        ([{"name": "log_connections", "value": UNKNOWN}],
         ["cloudsql.iam_authentication", "cloudsql.enable_pgaudit", "log_disconnections"]),
        ([{"name": "log_connections", "value": "off"}, UNKNOWN], ["log_connections"]),
    ],
)  # fmt: skip
def test_flags_of_a_database(flags: Any, reported_flags: list[str]) -> None:
    one = Resource(SQL, "it", {"databaseVersion": "POSTGRES_18", "settings": {"databaseFlags": flags}})
    found = violations(RULES["database-audited"], [one])
    assert [re.findall(r"databaseFlags: ([a-z_.]+) must be on", said) for said in found] == [
        [name] for name in reported_flags
    ]


@pytest.mark.parametrize(
    ("name", "token", "key"),
    [
        ("database-no-passwords", "gcp:sql/user:User", "password"),
        ("no-plain-secrets", "kubernetes:core/v1:Secret", "stringData"),
        ("cluster-no-default-pool", CLUSTER, "nodePools"),
    ],
)
def test_what_must_not_be_set_is_reported_before_its_value_is_known(name: str, token: str, key: str) -> None:
    one = Resource(token, "it", {"type": "CLOUD_IAM_USER", "removeDefaultNodePool": True, key: UNKNOWN})
    assert [said for said in violations(RULES[name], [one]) if f"it: {key} must" in said]


def test_a_value_that_is_not_known_is_neither_true_nor_false() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)


@pytest.mark.parametrize(
    ("inputs", "outputs", "known"),
    [
        ({"a": 1}, None, {"a": 1}),
        ({"a": 1}, {"a": UNKNOWN, "id": UNKNOWN}, {"a": 1, "id": UNKNOWN}),
        ({"a": UNKNOWN}, {}, {"a": UNKNOWN}),
        ({"a": UNKNOWN}, {"a": 2}, {"a": 2}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": [{"b": 1}]}, {"a": [{"b": UNKNOWN, "c": 2}]}, {"a": [{"b": 1, "c": 2}]}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": [1, 2]}),
        ({"a": [1, 2]}, {"a": UNKNOWN}, {"a": [1, 2]}),
        (None, None, None),
    ],
)
def test_what_is_known_comes_from_inputs_and_outputs(inputs: Any, outputs: Any, known: Any) -> None:
    assert merged(inputs, outputs) == known


EXEMPT = {"atwork:stack": json.dumps({"policies": {"exemptions": {"old": {
    "policy": "cluster-dataplane", "resource": "cluster", "reason": "r", "expires": "2099-01-01",
}}}})}  # fmt: skip


@pytest.mark.parametrize(("value", "advice"), [(UNKNOWN, 0), ("ADVANCED_DATAPATH", 1), ("LEGACY_DATAPATH", 0)])
def test_an_exemption_is_not_called_unneeded_before_that_is_known(value: Any, advice: int) -> None:
    found = reported(Here(EXEMPT), Registered(CLUSTER, "cluster", {"datapathProvider": value}))
    assert len([said for said in found if "remove the exemption" in said]) == advice
