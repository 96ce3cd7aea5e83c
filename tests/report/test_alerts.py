"""A deleted or loosened alert needs a decision; a stricter one does not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from support.events import BUCKET, report, step

from components.monitoring.windows import Window, muted
from components.type_tokens import ALERT_POLICY

ALERT: dict[str, Any] = {
    "enabled": True,
    "severity": "ERROR",
    "notificationChannels": ["a"],
    "conditions": [{"conditionPrometheusQueryLanguage": {"query": 'max(x{cluster="a"}) > 0.85', "duration": "600s"}}],
}
NIGHT = Window(days=(0,), opens=7200, hours=4)


def changed(**changes: Any) -> dict[str, Any]:
    alert = copy.deepcopy(ALERT)
    condition = alert["conditions"][0]["conditionPrometheusQueryLanguage"]
    for key, value in changes.items():
        (condition if key in condition else alert)[key] = value
    return alert


@pytest.mark.parametrize(
    ("looser", "name", "shown"),
    [
        ({"enabled": False}, "enabled", ("true", "false")),
        ({"severity": "WARNING"}, "severity", ("ERROR", "WARNING")),
        ({"notificationChannels": []}, "notificationChannels", ("1", "0")),
        ({"duration": "1200s"}, "conditions[0].conditionPrometheusQueryLanguage.duration", ("600s", "1200s")),
        (
            {"query": 'max(x{cluster="a"}) > 0.95'},
            "conditions[0].conditionPrometheusQueryLanguage.query",
            ("> 0.85", "> 0.95"),
        ),
        (
            {"query": muted('max(x{cluster="a"})', NIGHT) + " > 0.85"},
            "muted",
            ("never", "in maintenance windows"),
        ),
    ],
    ids=["off", "less urgent", "unheard", "later", "higher", "muted"],
)
def test_a_looser_alert_needs_a_decision(looser: dict[str, Any], name: str, shown: tuple[str, str]) -> None:
    result = report(step("update", ALERT_POLICY, "sql-cpu", ALERT, changed(**looser)))
    [change] = result.changes
    assert [(guard.name, (guard.old, guard.new), guard.removed) for guard in change.guards] == [(name, shown, True)]
    assert result.result == "guarded"
    back = report(step("update", ALERT_POLICY, "sql-cpu", changed(**looser), ALERT))
    assert [guard.removed for guard in back.changes[0].guards] == [False]
    assert back.result == "changes"


def test_a_threshold_of_too_little_is_looser_when_it_is_lower() -> None:
    old, new = changed(query="min(x{}) < 0.15"), changed(query="min(x{}) < 0.1")
    assert report(step("update", ALERT_POLICY, "volume", old, new)).result == "guarded"
    assert report(step("update", ALERT_POLICY, "volume", new, old)).result == "changes"


def test_a_deleted_alert_needs_a_decision_and_a_new_one_does_not() -> None:
    result = report(step("delete", ALERT_POLICY, "sql-cpu", ALERT))
    [guard] = result.changes[0].guards
    assert (guard.name, guard.old, guard.new) == ("alert", "ERROR", "none")
    assert result.result == "guarded"
    assert report(step("create", ALERT_POLICY, "sql-cpu", None, ALERT)).result == "changes"
    assert report(step("delete", BUCKET, "b", {"severity": "ERROR"})).changes[0].guards == ()


def test_another_query_is_shown_and_needs_no_decision() -> None:
    result = report(step("update", ALERT_POLICY, "sql-cpu", ALERT, changed(query="max(y{}) > 0.95")))
    assert (result.result, result.changes[0].guards) == ("changes", ())
    assert [item.path for item in result.changes[0].properties] == [
        "conditions[0].conditionPrometheusQueryLanguage.query"
    ]
