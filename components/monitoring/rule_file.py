"""The rules of an environment as a rule file of Prometheus, which promtool checks and tests."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from components.monitoring.rule import alert_name
from components.monitoring.selection import ActiveRule


def rule_file(rules: Iterable[ActiveRule]) -> dict[str, Any]:
    """The content of the file: one group for each interval."""
    ordered = sorted(rules, key=lambda active: active.interval)
    return {
        "groups": [
            {"name": f"every-{interval}s", "interval": f"{interval}s", "rules": [_alert(active) for active in group]}
            for interval, group in groupby(ordered, key=lambda active: active.interval)
        ]
    }


def _alert(active: ActiveRule) -> dict[str, Any]:
    return {
        "alert": alert_name(active.rule.id),
        "expr": active.expression,
        "for": f"{active.minutes}m",
        "labels": {"severity": active.severity},
    }
