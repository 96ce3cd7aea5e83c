"""From events to a report: everything the engine's own counts do not say, and no secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.events import BUCKET, DEPLOYMENT, SECRET, SQL, UNKNOWN, error, outputs, report, step, urn

from atwork.report import summary
from atwork.report.model import StackReport
from atwork.report.values import SECRET as SHOWN_SECRET
from atwork.report.values import UNKNOWN as SHOWN_UNKNOWN


def test_nothing_is_nothing() -> None:
    result = report(step("same", BUCKET, "b", {"a": 1}, {"a": 1}), step("same", "pulumi:providers:gcp", "p", {}, {}))
    assert (result.result, result.changes, result.unchanged) == ("unchanged", (), 1)
    assert summary.code([result]) == 0


def test_the_three_steps_of_a_replacement_are_one_change_with_its_cause() -> None:
    old, new = {"region": "a", "tier": "x"}, {"region": "b", "tier": "y"}
    steps = [
        step(op, SQL, "main", old, new, keys=["region"]) for op in ("create-replacement", "replace", "delete-replaced")
    ]
    result = report(*steps)
    assert result.counts == {"replace": 1}
    [change] = result.changes
    assert [(item.path, item.replaces) for item in change.properties] == [("region", True), ("tier", False)]
    assert result.result == "guarded"
    assert (
        summary.caution(result, change)
        == "ci DatabaseInstance main: would be replaced because of region; it holds data"
    )
    assert summary.code([result]) == 3


@pytest.mark.parametrize(
    ("old", "new", "name", "removed"),
    [
        ({"_protect": True}, {}, "protect", True),
        ({}, {"_protect": True}, "protect", False),
        ({"_retainOnDelete": True}, {"_retainOnDelete": False}, "retainOnDelete", True),
        ({"deletionProtection": True}, {"deletionProtection": False}, "deletionProtection", True),
        ({"deletionProtection": False}, {"deletionProtection": True}, "deletionProtection", False),
        (
            {"settings": {"deletionProtectionEnabled": True}},
            {"settings": {"deletionProtectionEnabled": False}},
            "settings.deletionProtectionEnabled",
            True,
        ),
        ({"deletionPolicy": "PREVENT"}, {"deletionPolicy": "DELETE"}, "deletionPolicy", True),
        ({"deletionPolicy": "DELETE"}, {"deletionPolicy": "PREVENT"}, "deletionPolicy", False),
        ({}, {"deletionProtection": False}, "deletionProtection", True),
        ({"deletionProtection": True}, {}, "deletionProtection", True),
        ({"deletionProtection": True}, {"deletionProtection": UNKNOWN}, "deletionProtection", True),
        ({"forceDestroy": False}, {"forceDestroy": True}, "forceDestroy", True),
        ({"forceDestroy": True}, {}, "forceDestroy", False),
        (
            {"deleteProtectionState": "DELETE_PROTECTION_ENABLED"},
            {"deleteProtectionState": "DELETE_PROTECTION_DISABLED"},
            "deleteProtectionState",
            True,
        ),
        ({"enableDropProtection": True}, {"enableDropProtection": False}, "enableDropProtection", True),
    ],
)
def test_a_guard_that_changes_is_a_change_though_the_engine_says_same(
    old: dict[str, Any], new: dict[str, Any], name: str, *, removed: bool
) -> None:
    result = report(step("same", BUCKET, "backups", {"a": 1, **old}, {"a": 1, **new}))
    [change] = result.changes
    assert change.kind == "guard"
    assert [(guard.name, guard.removed) for guard in change.guards] == [(name, removed)]
    assert result.result == ("guarded" if removed else "changes")
    assert result.unchanged == 0


DATABASE = "gcp:sql/database:Database"
ORDERS = {"name": "orders", "instance": "main-0f35a2e"}


@pytest.mark.parametrize(
    ("kind", "old"),
    [
        (DATABASE, {**ORDERS, "_retainOnDelete": True}),
        (DATABASE, {**ORDERS, "deletionPolicy": "ABANDON"}),
        ("gcp:kms/keyRing:KeyRing", {"name": "keys", "location": "europe"}),
        ("kubernetes:core/v1:Namespace", {"metadata": {"name": "jenkins"}, "_retainOnDelete": True}),
    ],
)
def test_what_is_left_behind_is_neither_deleted_nor_a_loss(kind: str, old: dict[str, Any]) -> None:
    result = report(step("delete", kind, "main-orders", old), step("delete", BUCKET, "plain", {"name": "b"}))
    assert result.counts == {"retain": 1, "delete": 1}
    assert [change.name for change in result.dangers] == ["plain"]
    [remark] = summary.remarks([result])
    assert remark.startswith("ci: main-orders is left behind, not deleted: ")
    assert "`atwork environment adopt ci`" in remark


def test_only_what_is_left_behind_is_a_change_without_danger() -> None:
    result = report(step("delete", DATABASE, "main-orders", {**ORDERS, "_retainOnDelete": True}))
    assert (result.result, summary.code([result])) == ("changes", 2)


@pytest.mark.parametrize(
    ("new", "taken"),
    [
        (ORDERS, "main-orders"),
        ({**ORDERS, "name": "stock"}, ""),
        ({**ORDERS, "instance": UNKNOWN}, ""),
    ],
)
def test_a_create_under_a_name_that_is_left_behind_cannot_end(new: dict[str, Any], taken: str) -> None:
    result = report(
        step("delete", DATABASE, "main-orders", {**ORDERS, "_retainOnDelete": True}),
        step("create", DATABASE, "main-renamed", None, new),
    )
    [create] = [change for change in result.changes if change.kind == "create"]
    assert create.taken_by == taken
    assert result.result == ("guarded" if taken else "changes")
    if taken:
        assert "would fail with 409: main-orders is left behind under the same name" in summary.caution(result, create)


def test_what_was_only_read_anew_is_no_change() -> None:
    result = report(step("refresh", BUCKET, "b", {"a": 1}, {"a": 1}), step("same", BUCKET, "b", {"a": 1}, {"a": 1}))
    assert (result.result, result.changes, result.unchanged) == ("unchanged", (), 1)
    drifted = report(step("refresh", BUCKET, "b", {"a": 1}, {"a": 2}), step("update", BUCKET, "b", {"a": 2}, {"a": 1}))
    assert drifted.counts == {"update": 1}
    [change] = drifted.changes
    assert [(item.old, item.new) for item in change.properties] == [("2", "1")]


def test_a_rename_is_a_change() -> None:
    result = report(step("same", BUCKET, "new", {"a": 1, "_urn": urn(BUCKET, "old")}, {"a": 1}))
    assert [(change.kind, change.renamed_from) for change in result.changes] == [("rename", urn(BUCKET, "old"))]


def test_outputs_alone_are_a_change() -> None:
    result = report(outputs({"host": "a", "gone": 1}, {"host": UNKNOWN}))
    assert [(item.name, item.old, item.new) for item in result.outputs] == [
        ("host", "a", SHOWN_UNKNOWN),
        ("gone", "1", None),
    ]
    assert summary.code([result]) == 2


def test_what_is_deleted_and_holds_data_needs_a_decision_and_the_rest_does_not() -> None:
    assert report(step("delete", SQL, "main", {"a": 1})).result == "guarded"
    assert report(step("delete", DEPLOYMENT, "web", {"a": 1, "_protect": True})).result == "guarded"
    assert report(step("delete", DEPLOYMENT, "web", {"a": 1})).result == "changes"


def test_a_step_that_is_not_known_is_a_change() -> None:
    result = report(step("teleport", BUCKET, "b", {"a": 1}, {"a": 1}))
    assert [(change.kind, change.step) for change in result.changes] == [("other", "teleport")]
    assert summary.code([result]) == 2


def test_a_crashed_program_is_no_success_whatever_the_summary_says() -> None:
    result = report(step("same", BUCKET, "b", {}, {}), error("the program failed: boom"), code=255)
    assert (result.result, result.complete) == ("failed", False)
    assert summary.code([result]) == 1
    assert report(step("same", BUCKET, "b", {}, {}), complete=False).result == "failed"


def test_a_protected_replacement_is_shown_as_blocked() -> None:
    old, new = {"region": "a", "_protect": True}, {"region": "b", "_protect": True}
    refusal = error('unable to replace resource "main" as it is currently marked for protection')
    result = report(step("replace", SQL, "main", old, new, keys=["region"]), refusal, code=255)
    assert (result.result, result.complete) == ("blocked", False)
    assert result.changes[0].protected
    assert summary.code([result]) == 3
    both = report(step("replace", SQL, "main", old, new), refusal, error("boom"), code=255)
    assert both.result == "failed"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hunter2", SECRET),
        (SECRET, "hunter2"),
        (SECRET, None),
        (None, SECRET),
        ({"a": "hunter2"}, SECRET),
        (SECRET, ["hunter2"]),
    ],
)
def test_both_sides_are_hidden_when_either_is_secret(old: Any, new: Any) -> None:
    before, after = ({"x": value} if value is not None else {} for value in (old, new))
    result = report(step("update", BUCKET, "b", before, after), outputs({"o": old}, {"o": new}))
    assert "hunter2" not in result.model_dump_json()
    assert result.changes[0].properties[0].path == "x"
    assert SHOWN_SECRET in (result.changes[0].properties[0].old, result.changes[0].properties[0].new)


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        (SQL, {"rootPassword": "hunter2"}),
        (SQL, {"settings": {"users": [{"password": "hunter2"}]}}),
        ("kubernetes:core/v1:Secret", {"stringData": {"a": "hunter2"}}),
        ("kubernetes:core/v1:Secret", {"data": {"a": "hunter2"}}),
        (DEPLOYMENT, {"spec": {"containers": [{"env": [{"name": "A", "value": "hunter2"}]}]}}),
        ("pulumi:providers:kubernetes", {"kubeconfig": "hunter2"}),
        ("kubernetes:helm.sh/v3:Release", {"values": {"objects": {"token-ci": {"stringData": {"a": "hunter2"}}}}}),
        (SQL, {"adminPassword": "hunter2", "replica": {"dbPasswd": "hunter2"}, "odd.key": {"secretKey": "hunter2"}}),
        ("gcp:x/y:Z", {"privateKey": "hunter2", "clientSecret": "hunter2", "apiKey": "hunter2", "token": "hunter2"}),
    ],
)
def test_some_paths_are_never_shown(kind: str, inputs: dict[str, Any]) -> None:
    result = report(step("update", kind, "x", {}, inputs), step("update", kind, "y", inputs, {"other": 1}))
    assert "hunter2" not in result.model_dump_json()
    assert len(result.changes) == 2


def test_a_switch_is_shown_though_its_name_sounds_secret() -> None:
    old, new = {"spec": {"token": False, "passwordPolicy": "a"}}, {"spec": {"token": True, "passwordPolicy": "b"}}
    assert [
        (item.old, item.new) for item in report(step("update", DEPLOYMENT, "x", old, new)).changes[0].properties
    ] == [
        ("false", "true"),
        ("a", "b"),
    ]


def test_an_update_of_hidden_values_alone_says_so() -> None:
    result = report(step("update", BUCKET, "b", {"a": SECRET}, {"a": SECRET}))
    assert result.changes[0].hidden_only


def test_errors_lose_what_looks_like_a_secret() -> None:
    result = report(error("cannot log in with password=hunter2 at host"), code=1)
    assert result.errors == ("cannot log in with password=[secret] at host",)


def test_deletions_below_what_is_not_known_are_only_perhaps() -> None:
    parent = step("update", "kubernetes:helm.sh/v3:Release", "chart", {"v": 1}, {"v": UNKNOWN})
    under = {"_parent": urn("kubernetes:helm.sh/v3:Release", "chart")}
    result = report(parent, step("delete", DEPLOYMENT, "a", under), step("delete", DEPLOYMENT, "b", under))
    assert {change.name: change.maybe for change in result.changes} == {"chart": False, "a": True, "b": True}


def test_the_same_change_in_two_stacks_has_one_fingerprint_and_any_other_another() -> None:
    def item(stack: str, *, value: Any = 2, op: str = "update", path: str = "a", **around: Any) -> str:
        return report(step(op, BUCKET, "b", {path: 1}, {path: value, **around}, stack=stack), stack=stack).fingerprint

    assert item("ci") == item("staging") == item("ci")
    others = [
        item("ci", value=3),
        item("ci", op="replace"),
        item("ci", path="b"),
        item("ci", _protect=True),
        item("ci", value=UNKNOWN),
    ]
    assert len({item("ci"), *others}) == 6
    assert report(outputs({"a": 1}, {"a": 2})).fingerprint != report(outputs({"a": 1}, {"a": 3})).fingerprint


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(SECRET) | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
_INPUTS = st.dictionaries(st.text(max_size=4).filter(lambda key: not key.startswith("_")), _VALUES, max_size=3)
"""`step` takes keys that begin with an underscore for fields of the state."""
_OPS = st.sampled_from(["same", "create", "update", "delete", "replace", "read", "import", "refresh", "teleport", ""])


@given(
    st.lists(st.tuples(_OPS, _INPUTS, _INPUTS), max_size=6),
    st.sampled_from([0, 1, 255]),
)
def test_no_stream_makes_it_fail_or_lose_a_step(
    steps: list[tuple[str, dict[str, Any], dict[str, Any]]], code: int
) -> None:
    result = report(
        *(step(op, BUCKET, f"b{number}", old, new) for number, (op, old, new) in enumerate(steps)), code=code
    )
    assert StackReport.model_validate_json(result.model_dump_json()) == result
    silent = {
        f"b{number}"
        for number, (op, old, new) in enumerate(steps)
        if op in ("same", "refresh") or (op == "read" and old == new)
    }
    assert {change.name for change in result.changes} >= {f"b{number}" for number in range(len(steps))} - silent


@given(_VALUES, st.sampled_from(["update", "create", "replace", "delete", "same"]))
def test_a_planted_secret_never_comes_out(around: Any, op: str) -> None:
    planted = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"planted-value"'}
    old, new = {"a": [around, {"b": planted}], "c": "x"}, {"a": [around, {"b": "planted-value"}], "d": planted}
    result = report(step(op, BUCKET, "b", old, new), outputs(old, new))
    assert "planted-value" not in result.model_dump_json()
