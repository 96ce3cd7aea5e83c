"""The resources that a namespace declares."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pydantic import ValidationError
from support.mocks import Recording, record

from atwork.engine.urn import name_of, provider_of
from components.namespace import DNS_ADDRESSES, Namespace, NamespaceSettings, PodSecurity, QuotaSettings


def _recording(settings: NamespaceSettings | None = None, **options: Any) -> Recording:
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
def test_the_level_is_enforced_and_the_strictest_level_only_warns(level: PodSecurity) -> None:
    recording = _recording(NamespaceSettings(pod_security=level), labels={"team": "payments"})
    labels = recording.resource("kubernetes:core/v1:Namespace", "team-namespace").inputs["metadata"]["labels"]
    assert labels == {
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/enforce-version": "latest",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
        "team": "payments",
    }


def test_all_objects_are_in_the_namespace_and_use_the_given_provider() -> None:
    recording = _recording()
    children = [item for item in recording.resources.values() if item.custom and item.name.startswith("team-")]
    inside = [child for child in children if child.type != "kubernetes:core/v1:Namespace"]
    assert {child.inputs["metadata"]["namespace"] for child in inside} == {"payments"}
    assert all(name_of(provider_of(child.provider)) == "inside" for child in children)
    assert len(inside) == 5


def test_every_container_has_defaults_for_what_the_quota_counts() -> None:
    recording = _recording()
    hard = recording.resource("kubernetes:core/v1:ResourceQuota", "team-quota").inputs["spec"]["hard"]
    (limits,) = recording.resource("kubernetes:core/v1:LimitRange", "team-limits").inputs["spec"]["limits"]
    # Kubernetes requires a value of every container for CPU and memory, and never for GPUs.
    # https://github.com/kubernetes/kubernetes/blob/master/pkg/quota/v1/evaluator/core/pods.go (Constraints)
    counted = {key.partition(".")[2] for key in hard if key.startswith(("requests.", "limits."))} - {"nvidia.com/gpu"}
    assert counted == set(limits["defaultRequest"]) == {"cpu", *limits["default"]}


def test_no_way_in_but_the_gateway_can_be_opened() -> None:
    hard = _recording().resource("kubernetes:core/v1:ResourceQuota", "team-quota").inputs["spec"]["hard"]
    ways = ("services.loadbalancers", "services.nodeports", "count/ingresses.networking.k8s.io")
    assert [hard[way] for way in ways] == ["0", "0", "0"]


def test_the_quota_has_the_amounts_of_the_settings() -> None:
    quota = QuotaSettings(cpu="500m", memory="1Gi", scratch="2Gi", pods=3, volumes=1)
    recording = _recording(NamespaceSettings(quota=quota))
    hard = recording.resource("kubernetes:core/v1:ResourceQuota", "team-quota").inputs["spec"]["hard"]
    assert (hard["requests.cpu"], hard["limits.memory"], hard["pods"], hard["persistentvolumeclaims"]) == (
        "500m",
        "1Gi",
        "3",
        "1",
    )


def test_only_name_resolution_goes_in_or_out() -> None:
    recording = _recording()
    policies = recording.of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    deny, dns = policies["team-deny"].inputs["spec"], policies["team-dns"].inputs["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (rule,) = dns["egress"]
    assert {port["port"] for port in rule["ports"]} == {53}
    assert [peer["ipBlock"]["cidr"] for peer in rule["to"] if "ipBlock" in peer] == list(DNS_ADDRESSES)
    assert len(policies) == 2


def test_the_default_account_has_no_token() -> None:
    patch = _recording().resource("kubernetes:core/v1:ServiceAccountPatch", "team-default-account")
    assert patch.inputs["automountServiceAccountToken"] is False
    assert patch.inputs["metadata"]["name"] == "default"


def test_protection_is_optional() -> None:
    token, name = "kubernetes:core/v1:Namespace", "team-namespace"
    plain, guarded = _recording().resource(token, name), _recording(protect=True, retain=True).resource(token, name)
    assert (plain.protect, plain.retain_on_delete) == (False, False)
    assert (guarded.protect, guarded.retain_on_delete) == (True, True)


def test_outputs_are_the_public_attributes() -> None:
    (component,) = _recording().components()
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
