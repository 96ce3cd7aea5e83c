"""A namespace as it is registered."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pydantic import ValidationError
from support.mocks import Recording, record

from atwork.engine.urn import name_of, provider_of
from components.namespace import DNS_ADDRESSES, Namespace, NamespaceSettings, PodSecurity, QuotaSettings


def _made(settings: NamespaceSettings | None = None, **options: Any) -> Recording:
    def program() -> None:
        provider = kubernetes.Provider("inside", kubeconfig="{}")
        Namespace(
            "team",
            settings or NamespaceSettings(),
            physical_name="payments",
            opts=pulumi.ResourceOptions(providers=[provider]),
            **options,
        )

    return record(program)


@pytest.mark.parametrize("level", ["restricted", "baseline", "privileged"])
def test_the_level_is_enforced_and_the_strictest_is_warned_of(level: PodSecurity) -> None:
    made = _made(NamespaceSettings(pod_security=level), labels={"team": "payments"})
    labels = made.resource("kubernetes:core/v1:Namespace", "team-namespace").inputs["metadata"]["labels"]
    assert labels == {
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/enforce-version": "latest",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
        "team": "payments",
    }


def test_all_is_in_the_namespace_and_made_by_the_given_provider() -> None:
    made = _made()
    children = [found for found in made.resources.values() if found.custom and found.name.startswith("team-")]
    inside = [found for found in children if found.type != "kubernetes:core/v1:Namespace"]
    assert {found.inputs["metadata"]["namespace"] for found in inside} == {"payments"}
    assert all(name_of(provider_of(found.provider)) == "inside" for found in children)
    assert len(inside) == 5


def test_what_the_quota_counts_every_container_has() -> None:
    made = _made()
    hard = made.resource("kubernetes:core/v1:ResourceQuota", "team-quota").inputs["spec"]["hard"]
    (limits,) = made.resource("kubernetes:core/v1:LimitRange", "team-limits").inputs["spec"]["limits"]
    counted = {key.partition(".")[2] for key in hard if key.startswith(("requests.", "limits."))}
    assert counted == set(limits["defaultRequest"]) == {"cpu", *limits["default"]}
    assert (hard["services.loadbalancers"], hard["services.nodeports"]) == ("0", "0")


def test_quota_says_what_the_settings_say() -> None:
    quota = QuotaSettings(cpu="500m", memory="1Gi", scratch="2Gi", pods=3, volumes=1)
    made = _made(NamespaceSettings(quota=quota))
    hard = made.resource("kubernetes:core/v1:ResourceQuota", "team-quota").inputs["spec"]["hard"]
    assert (hard["requests.cpu"], hard["limits.memory"], hard["pods"], hard["persistentvolumeclaims"]) == (
        "500m",
        "1Gi",
        "3",
        "1",
    )


def test_nothing_goes_in_or_out_but_names() -> None:
    made = _made()
    policies = made.of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    deny, dns = policies["team-deny"].inputs["spec"], policies["team-dns"].inputs["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (rule,) = dns["egress"]
    assert {port["port"] for port in rule["ports"]} == {53}
    assert [peer["ipBlock"]["cidr"] for peer in rule["to"] if "ipBlock" in peer] == list(DNS_ADDRESSES)
    assert len(policies) == 2


def test_the_default_account_has_no_token() -> None:
    patch = _made().resource("kubernetes:core/v1:ServiceAccountPatch", "team-default-account")
    assert patch.inputs["automountServiceAccountToken"] is False
    assert patch.inputs["metadata"]["name"] == "default"


def test_guards_only_where_they_are_asked_for() -> None:
    token, name = "kubernetes:core/v1:Namespace", "team-namespace"
    plain, guarded = _made().resource(token, name), _made(protect=True, retain=True).resource(token, name)
    assert (plain.protect, plain.retain_on_delete) == (False, False)
    assert (guarded.protect, guarded.retain_on_delete) == (True, True)


def test_outputs_are_the_public_attributes() -> None:
    (component,) = _made().components()
    assert (component.type, component.outputs) == ("atwork:namespace:Namespace", {"namespace_name": "payments"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pod_security": "strict"}, "'restricted', 'baseline' or 'privileged'"),
        ({"quota": {"cpu": "many"}}, "quota.cpu"),
        ({"quota": {"memory": "0Gi"}}, "quota.memory"),
        ({"quota": {"scratch": "10G"}}, "quota.scratch"),
        ({"quota": {"pods": 0}}, "greater than or equal to 1"),
        ({"quota": {"volumes": -1}}, "greater than or equal to 0"),
        ({"container_defaults": {"memory": "1"}}, "container_defaults.memory"),
        ({"labels": {}}, "Extra inputs are not permitted"),
    ],
)
def test_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        NamespaceSettings.model_validate(settings)


def test_accepted() -> None:
    settings = NamespaceSettings.model_validate({"quota": {"cpu": "0.5", "memory": "1Ti"}})
    assert (settings.quota.cpu, settings.pod_security) == ("0.5", "restricted")
