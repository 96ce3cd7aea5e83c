"""Preview namespaces as they are registered: who may do what in which, and what is refused at admission."""

from __future__ import annotations

from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pydantic import ValidationError
from support.mocks import Recording, record

from components.access import CANDIDATES, PULLED_REPOSITORIES
from components.preview_admission import LABEL, candidates_policy, traffic_policy
from components.preview_namespaces import RULES, PreviewNamespaces, PreviewNamespaceSettings

CI = "platform-preview-namespaces@p.iam.gserviceaccount.com"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1"
ADMISSION = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"


def _preview_namespaces(domain: str | None = None, **settings: Any) -> Recording:
    def program() -> None:
        provider = kubernetes.Provider("inside", kubeconfig="{}")
        PreviewNamespaces(
            "previews",
            PreviewNamespaceSettings(**settings),
            deployer=CI,
            candidates=pulumi.Output.from_input("r/p/candidates"),
            database_range="10.0.0.0/20",
            owner="team-platform",
            domain=domain,
            opts=pulumi.ResourceOptions(providers=[provider]),
        )

    return record(program)


def _bindings(recording: Recording) -> set[tuple[str, str, str]]:
    return {
        (entry.inputs["metadata"]["namespace"], subject["name"], entry.inputs["roleRef"]["name"])
        for entry in recording.of_type(f"{RBAC}:RoleBinding").values()
        for subject in entry.inputs["subjects"]
    }


def test_there_are_as_many_as_are_wished_each_closed_and_marked() -> None:
    recording = _preview_namespaces(count=2)
    namespaces = [entry.inputs["metadata"] for entry in recording.of_type("kubernetes:core/v1:Namespace").values()]
    assert [entry["name"] for entry in namespaces] == ["preview-1", "preview-2"]
    for entry in namespaces:
        assert entry["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        assert (entry["labels"][LABEL], entry["labels"]["owner"]) == ("true", "team-platform")
    assert len(recording.of_type("kubernetes:core/v1:ResourceQuota")) == 2
    names = {
        entry.inputs["metadata"]["name"]
        for entry in recording.of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy").values()
    }
    assert names == {"default-deny", "allow-dns", "allow-in", "allow-out"}


def test_ci_may_act_as_the_account_of_each_namespace_and_do_nothing_itself() -> None:
    recording = _preview_namespaces(count=2)
    assert _bindings(recording) == {
        ("preview-1", "deployer", "atwork-preview"),
        ("preview-1", CI, "act-as-deployer"),
        ("preview-2", "deployer", "atwork-preview"),
        ("preview-2", CI, "act-as-deployer"),
    }
    for role in recording.of_type(f"{RBAC}:Role").values():
        assert role.inputs["rules"] == [
            {
                "apiGroups": [""],
                "resources": ["serviceaccounts"],
                "resourceNames": ["deployer"],
                "verbs": ["impersonate"],
            }
        ]
    assert not recording.of_type(f"{RBAC}:ClusterRoleBinding")


def test_an_account_has_rights_in_its_own_namespace_alone() -> None:
    for entry in _preview_namespaces(count=3).of_type(f"{RBAC}:RoleBinding").values():
        for subject in entry.inputs["subjects"]:
            if subject["kind"] == "ServiceAccount":
                assert subject["namespace"] == entry.inputs["metadata"]["namespace"]


def test_a_preview_namespace_takes_no_hosts_and_hands_no_rights_on() -> None:
    rules = cast("list[dict[str, list[str]]]", RULES)
    granted = {(group, kind) for rule in rules for group in rule["api_groups"] for kind in rule["resources"]}
    groups = {group for group, _ in granted}
    assert not groups & {"gateway.networking.k8s.io", "rbac.authorization.k8s.io", "*"}
    assert {kind for group, kind in granted if group == "networking.gke.io"} == {"healthcheckpolicies"}
    assert not {kind for _, kind in granted} & {"*", "resourcequotas", "limitranges", "namespaces", "ingresses"}
    assert not any("impersonate" in rule["verbs"] or "*" in rule["verbs"] for rule in rules)


def test_where_builds_have_hosts_the_platform_writes_them_itself() -> None:
    recording = _preview_namespaces("popup.x.dev", count=2)
    assert {item for item in _bindings(recording) if item[2] == "atwork-preview-host"} == {
        ("preview-1", CI, "atwork-preview-host"),
        ("preview-2", CI, "atwork-preview-host"),
    }
    role = recording.resource(f"{RBAC}:ClusterRole", "previews-host-role").inputs["rules"]
    assert {(rule["apiGroups"][0], rule["resources"][0]) for rule in role} == {
        ("gateway.networking.k8s.io", "httproutes"),
        ("networking.gke.io", "gcpbackendpolicies"),
    }
    for namespace in recording.of_type("kubernetes:core/v1:Namespace").values():
        metadata = namespace.inputs["metadata"]
        assert metadata["annotations"] == {"atwork.dev/preview-domain": "popup.x.dev"}
        assert metadata["labels"]["atwork.dev/exposed"] == "true"


@pytest.mark.parametrize("domain", [None, "popup.x.dev"])
def test_load_balancers_come_in_only_where_builds_have_hosts(domain: str | None) -> None:
    policy = _preview_namespaces(domain, count=1).resource(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy", "previews-preview-1-allow-in"
    )
    [rule] = policy.inputs["spec"]["ingress"]
    blocks = {peer["ipBlock"]["cidr"] for peer in rule["from"] if "ipBlock" in peer}
    assert blocks == (set() if domain is None else {"35.191.0.0/16", "130.211.0.0/22"})


def test_people_have_rights_only_where_they_are_named() -> None:
    assert ("preview-1", "all@x.dev", "atwork-preview") in _bindings(
        _preview_namespaces(count=1, groups=("all@x.dev",))
    )


def _egress(recording: Recording) -> list[dict[str, Any]]:
    policy = recording.resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", "previews-preview-1-allow-out").inputs
    return policy["spec"]["egress"]


def test_a_preview_namespace_reaches_neither_databases_nor_the_internet_unless_the_stack_says_so() -> None:
    def blocks(rules: list[dict[str, Any]]) -> set[str]:
        return {peer["ipBlock"]["cidr"] for rule in rules for peer in rule["to"] if "ipBlock" in peer}

    closed = blocks(_egress(_preview_namespaces(count=1)))
    assert "10.0.0.0/20" not in closed
    assert "0.0.0.0/0" not in closed
    assert "0.0.0.0/0" in blocks(_egress(_preview_namespaces(count=1, internet_ports=(443,))))


def test_both_policies_deny_and_cannot_be_skipped() -> None:
    recording = _preview_namespaces(count=1)
    assert {entry.inputs["metadata"]["name"] for entry in recording.of_type(ADMISSION).values()} == {
        "candidates",
        "previews",
    }
    assert {entry.inputs["spec"]["failurePolicy"] for entry in recording.of_type(ADMISSION).values()} == {"Fail"}
    bindings = [entry.inputs["spec"] for entry in recording.of_type(f"{ADMISSION}Binding").values()]
    assert {entry["policyName"] for entry in bindings} == {"candidates", "previews"}
    assert all(entry["validationActions"] == ["Deny"] for entry in bindings)


def test_candidates_are_refused_in_all_containers_outside_of_preview_namespaces() -> None:
    spec: Any = candidates_policy("r/p/candidates")
    assert [entry["expression"].partition(".all(")[0] for entry in spec["validations"]] == [
        "object.spec.containers",
        "object.spec.?initContainers.orValue([])",
        "object.spec.?ephemeralContainers.orValue([])",
    ]
    assert all("startsWith('r/p/candidates/')" in entry["expression"] for entry in spec["validations"])
    selector = spec["match_constraints"]["namespace_selector"]
    assert selector == {"match_expressions": [{"key": LABEL, "operator": "DoesNotExist"}]}
    assert CANDIDATES not in PULLED_REPOSITORIES


def test_the_platforms_own_policies_stay_and_no_other_leads_out() -> None:
    spec: Any = traffic_policy(["default-deny", "allow-out"])
    kept, out = (entry["expression"] for entry in spec["validations"])
    assert kept == "request.operation == 'CREATE' || !(oldObject.metadata.name in ['default-deny', 'allow-out'])"
    assert out == "request.operation == 'DELETE' || object.spec.?egress.orValue([]).size() == 0"
    assert "check('delete')" in spec["match_conditions"][0]["expression"]


@pytest.mark.parametrize("number", [0, 51])
def test_a_number_of_namespaces_that_makes_no_sense_is_refused(number: int) -> None:
    with pytest.raises(ValidationError, match="count"):
        PreviewNamespaceSettings(count=number)
