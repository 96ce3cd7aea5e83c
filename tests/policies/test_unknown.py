"""Unknown values in a preview violate no rule, and violations that the inputs show are still reported."""

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

from policies.catalog import RULES as ALL_RULES
from policies.pack import PackState
from policies.properties import merged
from policies.rule import UNKNOWN, CheckedResource

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
DENY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
BY_TYPE_ALONE = {
    "deletion-guards",
    "backup-of-clusters",
    "cluster-alerts",
    "no-secret-values",
    "redis-valkey",
    "registry-not-gcr",
    "iam-additive",
    "iam-no-keys",
    "namespace-quota",
    "namespace-default-deny",
}
"""Rules that no property can violate: they check a type, `protect` or a missing resource."""


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path in a value of nested maps and lists."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from paths(item, (*path, key))


def unknown_at(properties: Any, path: tuple[Any, ...]) -> Any:
    """A copy in which the value at a path is unknown."""
    if not path:
        return UNKNOWN
    copied = dict(properties) if isinstance(properties, Mapping) else list(properties)
    copied[path[0]] = unknown_at(copied[path[0]], path[1:])
    return copied


def test_no_unknown_value_of_a_real_environment_violates_a_rule(recordings: dict[str, Recording]) -> None:
    tried = 0
    for resources in environments(recordings).values():
        for rule in ALL_RULES:
            checked = [resource for resource in resources if rule.applies(resource.type)]
            before = set(violations(rule, checked))
            # Stack rules check all resources together; resource rules check each distinct resource once.
            distinct = {
                (resource.type, json.dumps(resource.properties, sort_keys=True)): resource for resource in checked
            }
            for resource in checked if rule.stack else distinct.values():
                others = [other for other in checked if other is not resource] if rule.stack else []
                for path in [(), *paths(resource.properties)]:
                    tried += 1
                    changed = replace(resource, properties=unknown_at(resource.properties, path))
                    assert set(violations(rule, [*others, changed])) <= before, (rule.name, resource.name, path)
    assert tried > 5000


@pytest.mark.parametrize(("name", "token", "properties", "message"), BROKEN, ids=[resource[0] for resource in BROKEN])
def test_a_rule_reports_nothing_when_nothing_is_known(name: str, token: str, properties: Any, message: str) -> None:
    del properties
    resource = CheckedResource(token, "it", UNKNOWN)
    assert bool(violations(RULES[name], [resource])) is (name in BY_TYPE_ALONE), message


@pytest.mark.parametrize(("name", "token", "properties", "message"), BROKEN, ids=[resource[0] for resource in BROKEN])
def test_an_unknown_value_violates_no_rule(name: str, token: str, properties: Any, message: str) -> None:
    if name in BY_TYPE_ALONE:
        return
    for path in paths(properties):
        messages = violations(RULES[name], [CheckedResource(token, "it", unknown_at(properties, path))])
        shown = violations(RULES[name], [CheckedResource(token, "it", properties)])
        assert set(messages) <= set(shown), path


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


def reported(state: PackState, *resources: Registered) -> list[str]:
    """What a pack reports of a preview of these resources."""
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    messages: list[str] = []
    for resource in resources:
        inputs = unknown_checking_proxy(wire(resource.inputs))
        args = ResourceValidationArgs(resource.type, inputs, resource.urn, resource.name, options, None)
        for policy in state.policies:
            if isinstance(policy, ResourceValidationPolicy):
                policy.validate(
                    args, lambda message, _urn=None, name=policy.name: messages.append(f"{name}: {message}")
                )
    checked = {
        resource.name: PolicyResource(
            resource.type,
            unknown_checking_proxy(wire(resource.outputs)),
            resource.urn,
            resource.name,
            options,
            None,
            None,
            [],
            {},
        )
        for resource in resources
    }
    for resource in resources:
        checked[resource.name].property_dependencies = {
            key: [checked[name] for name in names] for key, names in resource.sources.items()
        }
    for policy in state.policies:
        if isinstance(policy, StackValidationPolicy):
            policy.validate(
                StackValidationArgs(list(checked.values())),
                lambda message, _urn=None, name=policy.name: messages.append(f"{name}: {message}"),
            )
    return messages


def wire(value: Any) -> Any:
    """Values as the engine sends them."""
    if isinstance(value, Mapping):
        return {key: wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [wire(item) for item in value]
    return UNKNOWN_STRING_VALUE if value is UNKNOWN else value


@pytest.mark.parametrize(("name", "token", "properties", "message"), BROKEN, ids=[resource[0] for resource in BROKEN])
@pytest.mark.parametrize("answered", [False, True])
def test_a_violation_is_reported_with_and_without_outputs(
    name: str, token: str, properties: Any, message: str, *, answered: bool
) -> None:
    resource = Registered(token, "it", properties, properties if answered else {})
    messages = [item for item in reported(PackState({}), resource) if item.startswith(f"{name}: ")]
    assert any(re.search(message, item) for item in messages)


def namespace(logical: str, **metadata: Any) -> Registered:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return Registered(NAMESPACE, logical, {"metadata": {"labels": labels, **metadata}})


def inside(token: str, name: str, place: Any = None, spec: Any = None, source: str = "") -> Registered:
    metadata = {"name": name, **({"namespace": place} if place is not None else {})}
    return Registered(
        token, name, {"metadata": metadata, "spec": spec or {}}, {}, {"metadata": (source,)} if source else {}
    )


def about(resources: list[Registered], rule: str = "namespace-default-deny") -> list[str]:
    return [
        message.removeprefix(f"{rule}: ") for message in reported(PackState({}), *resources) if message.startswith(rule)
    ]


MISSING = "has no NetworkPolicy that denies all traffic; add one"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([namespace("n", name="a")], [f"namespace a {MISSING}"]),
        ([namespace("n")], [f"namespace n {MISSING}"]),  # the provider gives it a name
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", DENY)], []),
        ([namespace("n", name="a"), inside(POLICY, "deny", "b", DENY)], [f"namespace a {MISSING}"]),
        ([namespace("n", name="a"), inside(POLICY, "deny", UNKNOWN, DENY, "n")], []),
        (
            [namespace("n", name="a"), namespace("m", name="b"), inside(POLICY, "deny", UNKNOWN, DENY, "n")],
            [f"namespace b {MISSING}"],
        ),  # a name that is not known yet, of another namespace
        ([namespace("n", name="a"), inside(POLICY, "deny", UNKNOWN, DENY)], []),  # it may be any
        ([namespace("n", name="a"), inside(POLICY, "deny", None, DENY)], []),  # the provider's own namespace
        ([namespace("n", name=UNKNOWN), inside(POLICY, "deny", "a", DENY)], []),
        (
            [namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "ingress": [{}]})],
            [f"namespace a {MISSING}"],
        ),
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "ingress": UNKNOWN})], []),
        (
            [namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "podSelector": {"matchLabels": UNKNOWN}})],
            [],
        ),
        (
            [
                namespace("n", name="a"),
                inside(POLICY, "deny", "a", {**DENY, "podSelector": {"matchLabels": {"a": UNKNOWN}}}),
            ],
            [f"namespace a {MISSING}"],
        ),
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "policyTypes": ["Ingress", UNKNOWN]})], []),
        ([namespace("n", name="a"), inside(POLICY, "deny", "a", {**DENY, "policyTypes": UNKNOWN})], []),
    ],
)
def test_a_first_preview_decides_by_the_inputs(resources: list[Registered], expected: list[str]) -> None:
    assert about(resources) == expected


def test_a_resource_that_was_never_registered_is_unknown() -> None:
    """An update of selected targets leaves other resources in the state, maybe without outputs."""
    state = PackState({})
    resource = namespace("n", name="a")
    policy = Registered(POLICY, "deny", UNKNOWN)
    reported(state, resource, policy)
    del state.inputs[policy.urn]
    state.policies = [item for item in state.rule_policies if item.name == "namespace-default-deny"]
    assert reported(state, resource, policy) == []


FLAG = {"name": "log_connections", "value": "on"}


@pytest.mark.parametrize(
    ("flags", "reported_flags"),
    [
        (UNKNOWN, []),
        ([UNKNOWN], []),
        ([FLAG, UNKNOWN], []),
        ([{"name": UNKNOWN, "value": "on"}], []),
        (
            [{"name": "log_connections", "value": UNKNOWN}],
            ["cloudsql.iam_authentication", "cloudsql.enable_pgaudit", "log_disconnections"],
        ),
        ([{"name": "log_connections", "value": "off"}, UNKNOWN], ["log_connections"]),
    ],
)
def test_flags_of_a_database(flags: Any, reported_flags: list[str]) -> None:
    resource = CheckedResource(SQL, "it", {"databaseVersion": "POSTGRES_18", "settings": {"databaseFlags": flags}})
    messages = violations(RULES["database-audited"], [resource])
    assert [re.findall(r"databaseFlags: ([a-z_.]+) must be on", message) for message in messages] == [
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
    resource = CheckedResource(token, "it", {"type": "CLOUD_IAM_USER", "removeDefaultNodePool": True, key: UNKNOWN})
    assert [message for message in violations(RULES[name], [resource]) if f"it: {key} must" in message]


def test_an_unknown_value_is_neither_true_nor_false() -> None:
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


EXEMPT = {
    "atwork:stack": json.dumps(
        {
            "policies": {
                "exemptions": {
                    "old": {
                        "policy": "cluster-dataplane",
                        "resource": "cluster",
                        "reason": "r",
                        "expires": "2099-01-01",
                    }
                }
            }
        }
    )
}


@pytest.mark.parametrize(("value", "advice"), [(UNKNOWN, 0), ("ADVANCED_DATAPATH", 1), ("LEGACY_DATAPATH", 0)])
def test_an_exemption_is_not_called_unneeded_before_that_is_known(value: Any, advice: int) -> None:
    messages = reported(PackState(EXEMPT), Registered(CLUSTER, "cluster", {"datapathProvider": value}))
    assert len([message for message in messages if "remove the exemption" in message]) == advice
