"""What a change takes from an alert: it is deleted, off, slower, less urgent, true later, or muted in a window."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from atwork.report.model import Guard
from components.monitoring.windows import is_muted
from components.type_tokens import ALERT_POLICY

_URGENCY = ("WARNING", "ERROR", "CRITICAL")
_COMPARISON = re.compile(r"^(.*) (>|>=|<|==) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$", re.DOTALL)
_DURATION = re.compile(r"\d+(?:\.\d+)?s")
_QUERY = "conditionPrometheusQueryLanguage"


def alert_guards(token: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Guard]:
    """The guards that differ between the inputs of an alert before and after; empty inputs are no alert."""
    if token != ALERT_POLICY or not old:
        return
    if not new:
        yield Guard(name="alert", old=_urgency(old), new="none", removed=True)
        return
    before, after = bool(old.get("enabled", True)), bool(new.get("enabled", True))
    if before != after:
        yield Guard(name="enabled", old=str(before).lower(), new=str(after).lower(), removed=before)
    if _urgency(old) != _urgency(new):
        removed = _rank(new) < _rank(old)
        yield Guard(name="severity", old=_urgency(old), new=_urgency(new), removed=removed)
    yield from _silenced(old, new)
    yield from _condition(_first(old), _first(new))


def _silenced(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Guard]:
    before, after = len(old.get("notificationChannels") or ()), len(new.get("notificationChannels") or ())
    if bool(before) != bool(after):
        yield Guard(name="notificationChannels", old=str(before), new=str(after), removed=bool(before))


def _condition(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Guard]:
    """The wait, and the threshold of a query that is the same otherwise."""
    path = f"conditions[0].{_QUERY}"
    before, after = str(old.get("duration")), str(new.get("duration"))
    if before != after and _DURATION.fullmatch(before) and _DURATION.fullmatch(after):
        yield Guard(name=f"{path}.duration", old=before, new=after, removed=_seconds(after) > _seconds(before))
    muted = [is_muted(str(condition.get("query", ""))) for condition in (old, new)]
    if muted[0] != muted[1]:
        words = ["in maintenance windows" if mutes else "never" for mutes in muted]
        yield Guard(name="muted", old=words[0], new=words[1], removed=muted[1])
    first, second = (_COMPARISON.match(str(condition.get("query", ""))) for condition in (old, new))
    if first is None or second is None or first.groups()[:2] != second.groups()[:2] or first[3] == second[3]:
        return
    higher = float(second[3]) > float(first[3])
    removed = first[2] == "==" or higher != (first[2] == "<")
    yield Guard(name=f"{path}.query", old=f"{first[2]} {first[3]}", new=f"{second[2]} {second[3]}", removed=removed)


def _first(alert: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = alert.get("conditions")
    condition = conditions[0] if isinstance(conditions, list) and conditions else {}
    query = condition.get(_QUERY) if isinstance(condition, Mapping) else None
    return query if isinstance(query, Mapping) else {}


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def _urgency(alert: Mapping[str, Any]) -> str:
    return str(alert.get("severity") or "none")


def _rank(alert: Mapping[str, Any]) -> int:
    urgency = _urgency(alert)
    return _URGENCY.index(urgency) if urgency in _URGENCY else -1
