"""The audit: names as Terraform has them, and a judgment that cannot be fooled by its list of exceptions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.groups import checkout

from tools.audit import FailedCheck, Skip, audited_stacks, judge, skips
from tools.audit_terraform import inventory, terraform, terraform_type, write


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("gcp:container/cluster:Cluster", "google_container_cluster"),
        ("gcp:container/nodePool:NodePool", "google_container_node_pool"),
        ("gcp:sql/databaseInstance:DatabaseInstance", "google_sql_database_instance"),
        ("gcp:projects/iAMMember:IAMMember", "google_project_iam_member"),
        ("gcp:projects/iAMCustomRole:IAMCustomRole", "google_project_iam_custom_role"),
        ("gcp:projects/iAMAuditConfig:IAMAuditConfig", "google_project_iam_audit_config"),
        (
            "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
            "google_artifact_registry_repository_iam_member",
        ),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "google_kms_crypto_key_iam_member"),
        ("gcp:serviceaccount/account:Account", "google_service_account"),
        ("gcp:serviceaccount/iAMMember:IAMMember", "google_service_account_iam_member"),
        ("gcp:organizations/project:Project", "google_project"),
    ],
)
def test_types_have_terraforms_names(token: str, expected: str) -> None:
    assert terraform_type(token) == expected


def test_properties_have_terraforms_names_and_labels_keep_theirs() -> None:
    inputs = {"nodeConfig": {"taints": [{"key": "a"}], "resourceLabels": {"keepMe": "x"}}, "network": "vpc-id"}
    assert terraform(inputs, {"vpc-id": "${google_compute_network.vpc.id}"}) == {
        "node_config": {"taint": [{"key": "a"}], "resource_labels": {"keepMe": "x"}},
        "network": "${google_compute_network.vpc.id}",
    }


@pytest.mark.parametrize("stack", ["ci", "staging", "production"])
def test_everything_of_google_cloud_is_written(stack: str, tmp_path: Path) -> None:
    write(stack, tmp_path)
    written = json.loads((tmp_path / f"{stack}.tf.json").read_text())["resource"]
    expected = [name for token, name, _ in inventory(stack) if token.startswith("gcp:")]
    assert sum(len(resources) for resources in written.values()) == len(expected) > 40


FAILED = FailedCheck("production", "CKV_1", "a title", "resource.it")


def test_a_failure_without_an_exception_is_reported() -> None:
    assert judge([FAILED], []) == ["production: CKV_1 resource.it: a title"]
    assert judge([FAILED], [Skip("CKV_1", ("production",), "resource.*", "why")]) == []


def test_an_exception_covers_its_stack_and_resource_alone_and_must_be_needed() -> None:
    elsewhere = Skip("CKV_1", ("ci",), "resource.*", "why")
    assert judge([FAILED], [elsewhere]) == [
        "production: CKV_1 resource.it: a title",
        "audit-skips.yaml: CKV_1 on resource.* fails in none of ci; remove it",
    ]


def test_an_exception_of_an_environment_covers_its_groups_of_services() -> None:
    failure = FailedCheck("production.payments", "CKV_1", "a title", "resource.it")
    assert judge([failure], [Skip("CKV_1", ("production",), "resource.*", "why")]) == []
    assert judge([failure], []) == ["production.payments: CKV_1 resource.it: a title"]


def test_groups_of_services_are_checked_after_their_environment(tmp_path: Path) -> None:
    stacks = checkout(tmp_path, separate=True) / "stacks"
    environments = ["ci", "staging", "production"]
    assert audited_stacks(stacks) == [name for stack in environments for name in (stack, f"{stack}.payments")]


def test_production_has_eight_exceptions_at_most() -> None:
    failures = [FailedCheck("production", f"CKV_{number}", "t", "r") for number in range(9)]
    accepted = [Skip(failure.check, ("production",), "*", "why") for failure in failures]
    assert judge(failures, accepted) == ["audit-skips.yaml: 9 checks are skipped in production; 8 at most"]


def test_an_exception_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "skips.yaml"
    path.write_text("- {check: CKV_1, reason: ' '}")
    with pytest.raises(ValueError, match=r"skips\.yaml: entry 1 \(CKV_1\) has no reason; write one"):
        skips(path)


def test_the_reviewed_list_is_readable() -> None:
    assert len(skips()) >= 5
