"""The evaluator of network policies, and the table of connections."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from pytest_regressions.file_regression import FileRegressionFixture
from support.checkout import ROOT

from atwork.sandbox.selectors import selects
from atwork.sandbox.verify import flows
from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.network_policies import Connection, End, closed_by

POD = End("shop", {"app": "cart"}, ports={"http": 8080})
OTHER = End("other", {"app": "caller"})
OUTSIDE = End(addresses=IPv4Network("203.0.113.0/24"))


def cluster(*policies: dict[str, Any]) -> EnvironmentObjects:
    objects: list[dict[str, Any]] = [
        {"kind": "NetworkPolicy", "metadata": {"namespace": "shop", "name": f"policy-{number}"}, "spec": spec}
        for number, spec in enumerate(policies)
    ]
    namespaces = [{"name": name, "labels": {"team": name}} for name in ("shop", "other")]
    objects += [{"kind": "Namespace", "metadata": metadata} for metadata in namespaces]
    return EnvironmentObjects("test", {}, {}).with_objects(objects)


DENY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def egress(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"podSelector": {}, "policyTypes": ["Egress"], "egress": list(rules)}


def ingress(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": list(rules)}


def test_a_namespace_without_policies_is_open_and_a_denial_closes_it() -> None:
    assert closed_by(Connection(POD, OUTSIDE, 443), cluster()) == ""
    assert closed_by(Connection(POD, OUTSIDE, 443), cluster(DENY)) == "egress of shop is closed by policy-0"
    assert closed_by(Connection(OTHER, POD, 8080), cluster(DENY)) == "ingress of shop is closed by policy-0"


def test_a_policy_of_one_direction_leaves_the_other_open() -> None:
    only_in = {"podSelector": {}, "ingress": []}
    assert closed_by(Connection(POD, OUTSIDE, 443), cluster(only_in)) == ""
    assert closed_by(Connection(OTHER, POD, 8080), cluster(only_in)) != ""


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        ({}, True),
        ({"to": [{"ipBlock": {"cidr": "203.0.0.0/16"}}]}, True),
        ({"to": [{"ipBlock": {"cidr": "203.0.113.0/25"}}]}, False),  # half of the range
        ({"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.113.7/32"]}}]}, False),
        ({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"protocol": "TCP", "port": 443}]}, True),
        ({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 80}, {"port": 440, "endPort": 450}]}, True),
        ({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 80}]}, False),
        ({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"protocol": "UDP", "port": 443}]}, False),
        ({"to": [{"podSelector": {}}]}, False),
    ],
)
def test_addresses_and_ports(rule: dict[str, Any], *, passes: bool) -> None:
    assert (closed_by(Connection(POD, OUTSIDE, 443), cluster(DENY, egress(rule))) == "") is passes


@pytest.mark.parametrize(
    ("peer", "passes"),
    [
        ({"podSelector": {}}, False),  # pods of its own namespace
        ({"namespaceSelector": {}}, True),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "shop"}}}, False),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "caller"}}}, True),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "stranger"}}}, False),
        ({"ipBlock": {"cidr": "0.0.0.0/0"}}, False),  # addresses are no pods
    ],
)
def test_pods_of_other_namespaces(peer: dict[str, Any], *, passes: bool) -> None:
    rules = cluster(DENY, ingress({"from": [peer], "ports": [{"port": "http"}]}))
    assert (closed_by(Connection(OTHER, POD, 8080), rules) == "") is passes
    assert closed_by(Connection(OTHER, POD, 9090), rules) != ""


@pytest.mark.parametrize(
    ("operator", "values", "selected"),
    [
        ("In", ["a", "b"], True),
        ("In", ["b"], False),
        ("NotIn", ["a"], False),
        ("NotIn", ["b"], True),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
    ],
)
def test_label_selectors(operator: str, values: list[str], *, selected: bool) -> None:
    expression = {"key": "team", "operator": operator, "values": values}
    assert selects({"matchExpressions": [expression]}, {"team": "a"}) is selected


def test_the_page_has_the_table(file_regression: FileRegressionFixture) -> None:
    """`make golden` rewrites it."""
    page: Path = ROOT / "docs" / "network.md"
    text, _, _ = page.read_text().partition("| pods |")
    file_regression.check(text + flows.table(), extension=".md", fullpath=page)
