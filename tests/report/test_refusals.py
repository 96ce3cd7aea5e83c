"""Deletions and replacements that would fail are reported before anything is deleted."""

from __future__ import annotations

from typing import Any

import pytest
from support.events import BUCKET, SQL, report, step

from atwork.report.summary import code, decisions
from components.type_tokens import CLUSTER

POOL = "gcp:container/nodePool:NodePool"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
CREATE_FIRST = ("create-replacement", "replace", "delete-replaced")
DELETE_FIRST = ("delete-replaced", "replace", "create-replacement")


def replacement(steps: tuple[str, ...], token: str, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    return [step(item, token, "x", old, new) for item in steps]


@pytest.mark.parametrize(
    ("token", "state", "reason"),
    [
        (POOL, {"deletionPolicy": "PREVENT"}, "deletionPolicy is PREVENT"),
        (CLUSTER, {"deletionProtection": True}, "deletionProtection is true"),
        (CLUSTER, {"_outputs": {"deletionProtection": True}}, "deletionProtection is true"),
        (
            SQL,
            {"deletionProtection": False, "settings": {"deletionProtectionEnabled": True}},
            "settings.deletionProtectionEnabled is true",
        ),
    ],
)
def test_a_guard_of_the_provider_blocks_a_deletion_and_a_replacement(
    token: str, state: dict[str, Any], reason: str
) -> None:
    deleted = report(step("delete", token, "x", state))
    replaced = report(*replacement(CREATE_FIRST, token, state, {"deletionPolicy": "DELETE", "name": "new"}))
    for result in (deleted, replaced):
        assert result.result == "blocked"
        assert code([result], decided=True) == 3, "no label lets it pass"
        assert f"would be refused: {reason}" in decisions(result)[0]
        assert "remove it in a separate update first" in decisions(result)[0]


@pytest.mark.parametrize(
    ("token", "state"),
    [
        (POOL, {"deletionPolicy": "DELETE"}),
        (CLUSTER, {"deletionProtection": False}),
        (SQL, {"deletionProtection": False, "settings": {"deletionProtectionEnabled": False}}),
    ],
)
def test_what_nobody_guards_needs_a_decision_and_no_more(token: str, state: dict[str, Any]) -> None:
    result = report(step("delete", token, "x", state))
    assert (result.result, result.changes[0].refused) == ("guarded", "")


@pytest.mark.parametrize(
    "state", [{"deletionPolicy": "ABANDON"}, {"deletionPolicy": "PREVENT", "_retainOnDelete": True}]
)
def test_what_stays_in_the_cloud_meets_no_guard(state: dict[str, Any]) -> None:
    result = report(step("delete", POOL, "x", state))
    assert (result.result, result.changes[0].refused) == ("changes", "")


def test_a_guard_that_the_same_update_lifts_is_still_met() -> None:
    lifted = step("update", POOL, "x", {"deletionPolicy": "PREVENT"}, {"deletionPolicy": "DELETE"})
    assert report(lifted).result == "guarded"
    gone = replacement(CREATE_FIRST, POOL, {"deletionPolicy": "PREVENT", "name": "a"}, {"name": "b"})
    assert report(*gone).result == "blocked"


@pytest.mark.parametrize("steps", [CREATE_FIRST, DELETE_FIRST])
def test_a_cluster_is_not_replaced_in_one_update(steps: tuple[str, ...]) -> None:
    old = {"name": "atwork-ci", "location": "europe-west1-b", "deletionProtection": False}
    result = report(*replacement(steps, CLUSTER, old, {**old, "location": "europe-west1-c"}))
    assert result.result == "blocked"
    assert "docs/runbooks/cluster-replaced.md" in result.changes[0].refused
    assert report(step("delete", CLUSTER, "x", old)).result == "guarded"


@pytest.mark.parametrize(
    ("steps", "token", "new", "refused"),
    [
        (CREATE_FIRST, REPOSITORY, {"repositoryId": "services", "kmsKeyName": "k"}, True),
        (CREATE_FIRST, REPOSITORY, {"repositoryId": "other"}, False),
        (DELETE_FIRST, REPOSITORY, {"repositoryId": "services", "kmsKeyName": "k"}, False),
        (CREATE_FIRST, CLAIM, {"metadata": {"name": "home", "namespace": "jenkins"}, "spec": {}}, True),
        (CREATE_FIRST, CLAIM, {"metadata": {"name": "home", "namespace": "jenkins"}, "_provider": "another"}, False),
        (CREATE_FIRST, BUCKET, {"location": "eu"}, False),
    ],
)
def test_a_replacement_that_meets_its_own_name_is_refused(
    steps: tuple[str, ...], token: str, new: dict[str, Any], *, refused: bool
) -> None:
    old: dict[str, Any] = {"repositoryId": "services"} if token == REPOSITORY else {"location": "us"}
    old = {"metadata": {"name": "home", "namespace": "jenkins"}} if token == CLAIM else old
    result = report(*replacement(steps, token, old, new))
    assert result.changes[0].kind == "replace"
    assert (result.result == "blocked", "(error 409)" in result.changes[0].refused) == (refused, refused)
