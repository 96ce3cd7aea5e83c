"""Fewer days for logs need a decision; more do not."""

from __future__ import annotations

from typing import Any

import pytest
from support.events import BUCKET, UNKNOWN, report, step

from components.type_tokens import LOG_BUCKET


@pytest.mark.parametrize(
    ("old", "new", "shown", "result"),
    [
        ({"retentionDays": 400}, {"retentionDays": 30}, ("400", "30"), "guarded"),
        ({"retentionDays": 400}, {"retentionDays": 399}, ("400", "399"), "guarded"),
        ({"retentionDays": 400}, {}, ("400", "none"), "guarded"),
        ({"retentionDays": 400}, {"retentionDays": UNKNOWN}, ("400", "(known after apply)"), "guarded"),
        ({}, {"retentionDays": 7}, ("none", "7"), "guarded"),
        ({}, {"retentionDays": 400}, ("none", "400"), "changes"),
        ({"retentionDays": 90}, {"retentionDays": 400}, ("90", "400"), "changes"),
        ({"retentionDays": 7}, {}, ("7", "none"), "changes"),
    ],
)
def test_logs_that_are_kept_for_less_time_need_a_decision(
    old: dict[str, Any], new: dict[str, Any], shown: tuple[str, str], result: str
) -> None:
    bucket = {"bucketId": "audit"}
    read = report(step("update", LOG_BUCKET, "logs-audit", bucket | old, bucket | new))
    [change] = read.changes
    assert [(guard.name, (guard.old, guard.new)) for guard in change.guards] == [("retentionDays", shown)]
    assert read.result == result


def test_days_of_other_types_are_properties() -> None:
    read = report(step("update", BUCKET, "files", {"retentionDays": 400}, {"retentionDays": 30}))
    assert read.result == "changes"
    assert [item.path for item in read.changes[0].properties] == ["retentionDays"]
