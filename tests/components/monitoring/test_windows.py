"""Maintenance windows: when they are open, what they mute, and what pages all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atwork.alerts import promtool
from atwork.alerts.cases import ALL_PACKAGES, CASES, SCOPE, labels_of, series_of
from components.monitoring.catalog import RULES
from components.monitoring.rule import STAGES, alert_name
from components.monitoring.rule_file import rule_file
from components.monitoring.selection import ActiveRule, Adjustment, MonitoredEnvironment, select
from components.monitoring.windows import Freeze, Span, Window, YearlySpan, is_muted

MINUTE = timedelta(minutes=1)
START = datetime(2025, 1, 1, tzinfo=UTC)
"""Before all moments of the tests."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def is_open(window: Window, moment: datetime) -> bool:
    """Whether a window is open, by the calendar: it opened today or yesterday, and no freeze keeps it closed."""
    for days in (0, 1):
        midnight = moment.replace(hour=0, minute=0, second=0) - timedelta(days=days)
        opening = midnight + timedelta(seconds=window.opens)
        opens = midnight.isoweekday() % 7 in window.days
        if opens and opening <= moment < opening + timedelta(hours=window.hours):
            return not any(is_frozen(freeze, moment) for freeze in window.freezes)
    return False


def is_frozen(freeze: Freeze, moment: datetime) -> bool:
    if isinstance(freeze, Span):
        return freeze.start <= moment < freeze.end
    assert isinstance(freeze, YearlySpan)
    day = (moment.month, moment.day)
    if freeze.start <= freeze.end:
        return freeze.start <= day <= freeze.end
    return day >= freeze.start or day <= freeze.end


def evaluated(folder: Path, moments: Sequence[tuple[Window, datetime, bool]]) -> promtool.RuleTests:
    """Compare what windows are in Prometheus with what is expected of them."""
    test = {
        "start_timestamp": START.isoformat(),
        "promql_expr_test": [
            {
                "expr": f"vector(1) and on () ({window.query})",
                "eval_time": f"{int((moment - START).total_seconds())}s",
                "exp_samples": [{"labels": "{}", "value": 1}] if expected else [],
            }
            for window, moment, expected in moments
        ],
    }
    # Nothing is evaluated between these times.
    return promtool.run_tests(folder, [], [test], minutes=366 * 24 * 60)


NIGHT = Window((6,), opens=22 * 3600, hours=8)
END_OF_WEEK = Window((0,), opens=23 * 3600 + 1800, hours=2)
FREEZE = Span(at("2026-12-14T00:00:00"), at("2027-01-06T00:00:00"))
YEARLY = YearlySpan((12, 14), (1, 6))
SPRING = YearlySpan((3, 1), (3, 31))


def test_a_window_is_open_from_its_opening_to_its_end(tmp_path: Path) -> None:
    moments = [
        # 2026-11-28 is a Saturday.
        (NIGHT, at("2026-11-28T21:59:59"), False),
        (NIGHT, at("2026-11-28T22:00:00"), True),
        (NIGHT, at("2026-11-29T00:00:00"), True),
        (NIGHT, at("2026-11-29T05:59:59"), True),
        (NIGHT, at("2026-11-29T06:00:00"), False),
        (NIGHT, at("2026-11-29T22:00:00"), False),
        (END_OF_WEEK, at("2026-11-29T23:29:59"), False),
        (END_OF_WEEK, at("2026-11-29T23:30:00"), True),
        (END_OF_WEEK, at("2026-11-30T01:29:59"), True),
        (END_OF_WEEK, at("2026-11-30T01:30:00"), False),
        (replace(NIGHT, freezes=(FREEZE,)), at("2026-12-13T05:00:00"), True),
        (replace(NIGHT, days=(0,), freezes=(FREEZE,)), at("2026-12-13T23:59:59"), True),
        (replace(NIGHT, days=(0,), freezes=(FREEZE,)), at("2026-12-14T00:00:00"), False),
        (replace(NIGHT, days=(2,), freezes=(FREEZE,)), at("2027-01-05T23:59:59"), False),
        (replace(NIGHT, days=(2,), freezes=(FREEZE,)), at("2027-01-06T00:00:00"), True),
        (replace(NIGHT, days=(0,), freezes=(YEARLY,)), at("2026-12-13T23:59:59"), True),
        (replace(NIGHT, days=(0,), freezes=(YEARLY,)), at("2026-12-14T00:00:00"), False),
        (replace(NIGHT, days=(3,), freezes=(YEARLY,)), at("2027-01-06T23:00:00"), False),
        (replace(NIGHT, days=(3,), freezes=(YEARLY,)), at("2027-01-07T00:00:00"), True),
        (replace(NIGHT, freezes=(SPRING,)), at("2027-03-27T23:00:00"), False),
        (replace(NIGHT, freezes=(SPRING,)), at("2027-04-03T23:00:00"), True),
    ]
    assert [is_open(window, moment) for window, moment, _ in moments] == [expected for _, _, expected in moments]
    outcome = evaluated(tmp_path, moments)
    assert outcome.passed, outcome.output
    wrong = evaluated(tmp_path, [(window, moment, not expected) for window, moment, expected in moments])
    assert wrong.output.count("expr: ") == len(moments)


SIX_YEARS = 6 * 366 * 24 * 60 * 60
MOMENTS = st.integers(0, SIX_YEARS).map(lambda seconds: START + timedelta(days=2, seconds=seconds))
LENGTHS = st.integers(1, 180 * 24 * 60 * 60).map(lambda seconds: timedelta(seconds=seconds))
DAYS = st.tuples(st.integers(1, 12), st.integers(1, 28))


@st.composite
def windows_with_moments(draw: st.DrawFn) -> list[tuple[Window, datetime]]:
    """A window, its edges in some week, and other moments."""
    spans = st.builds(lambda start, length: Span(start, start + length), MOMENTS, LENGTHS)
    window = Window(
        tuple(draw(st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True))),
        opens=draw(st.integers(0, 24 * 60 - 1)) * 60,
        hours=draw(st.integers(1, 24)),
        freezes=tuple(draw(st.lists(st.one_of(spans, st.builds(YearlySpan, DAYS, DAYS)), max_size=2))),
    )
    moments = draw(st.lists(MOMENTS, min_size=2, max_size=4))
    for moment in moments[:2]:
        opening = moment.replace(hour=0, minute=0, second=0) + timedelta(seconds=window.opens)
        for edge in (opening, opening + timedelta(hours=window.hours)):
            moments += [edge - timedelta(seconds=1), edge]
    for freeze in window.freezes:
        if isinstance(freeze, Span):
            moments += [
                freeze.start - timedelta(seconds=1),
                freeze.start,
                freeze.end - timedelta(seconds=1),
                freeze.end,
            ]
    return [(window, moment) for moment in moments]


@settings(max_examples=10, deadline=None)
@given(st.lists(windows_with_moments(), min_size=12, max_size=12))
def test_prometheus_and_the_calendar_agree(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[list[tuple[Window, datetime]]]
) -> None:
    moments = [(window, moment, is_open(window, moment)) for group in drawn for window, moment in group]
    outcome = evaluated(tmp_path_factory.mktemp("windows"), moments)
    assert outcome.passed, outcome.output


def active_in(stage: Any, **changes: Any) -> dict[str, ActiveRule]:
    environment = MonitoredEnvironment(stage, ALL_PACKAGES, SCOPE, **changes)
    return {active.rule.id: active for active in select(environment).active}


def rules_that_mute() -> dict[str, ActiveRule]:
    """Each rule that is muted somewhere, as it is there."""
    rules: dict[str, ActiveRule] = {}
    for stage in STAGES:
        rules |= {key: active for key, active in active_in(stage).items() if active.mutes}
    return rules


def test_what_pages_is_never_muted() -> None:
    muted = rules_that_mute()
    assert muted.keys() == {rule.id for rule in RULES.values() if rule.effect_of is not None}
    for stage in STAGES:
        for active in active_in(stage).values():
            assert is_muted(active.expression) == active.mutes
            assert not (active.mutes and active.severity == "page")
    assert not active_in("production")["sql-down"].mutes
    paging = active_in("production", adjustments={"node-not-ready": Adjustment(severity="page")})
    assert not paging["node-not-ready"].mutes


def course(active: ActiveRule, window: Window, opening: datetime) -> dict[str, Any]:
    """A rule that would fire all the time, from three hours before the opening of its window to its end."""
    before, step = timedelta(hours=3), timedelta(seconds=active.interval)
    opens, closes = before, before + timedelta(hours=window.hours)
    fires = closes + timedelta(minutes=active.minutes)
    expected = {
        opens - step: True,
        opens: False,
        closes - step: False,
        fires - step: active.minutes == 0,
        fires: True,
    }
    case = CASES[active.rule.id]
    firing = {"exp_labels": labels_of(case) | {"severity": active.severity}}
    return {
        "name": f"{active.rule.id} at {opening}",
        "interval": "1m",
        "start_timestamp": (opening - before).isoformat(),
        "input_series": [
            # A rollout that some cases are next to does not end before the test.
            {**series, "values": series["values"].replace("x200", "x900")}
            for series in series_of(case, "firing", int(fires / MINUTE) + 60)
        ],
        "alert_rule_test": [
            {
                "eval_time": f"{int(time / MINUTE)}m",
                "alertname": alert_name(active.rule.id),
                "exp_alerts": [firing] if fire else [],
            }
            for time, fire in expected.items()
        ],
    }


def test_a_muted_rule_fires_until_its_window_opens_and_after_it_closes(tmp_path: Path) -> None:
    outcomes: dict[str, bool] = {}
    for key, active in rules_that_mute().items():
        # The first night is over midnight, the second one over the end of the week.
        database = active.rule.effect_of == "database"
        window = SCOPE.databases[0].maintenance if database else SCOPE.nodes
        assert window is not None
        openings = ["2026-11-29T23:00:00"] if database else ["2026-11-28T22:00:00", "2026-11-29T22:00:00"]
        groups = rule_file([active])["groups"]
        tests = [course(active, window, at(opening)) for opening in openings]
        outcome = promtool.run_tests(tmp_path, groups, tests, minutes=active.interval // 60)
        assert outcome.passed, outcome.output
        loud = replace(
            active, expression=active.expression.replace("unless on () (", "unless on () (vector(1) > 1 and ")
        )
        outcomes[key] = promtool.run_tests(
            tmp_path, rule_file([loud])["groups"], tests[:1], minutes=active.interval // 60
        ).passed
    assert not any(outcomes.values()), "a rule that is not muted passes"


def test_a_database_is_muted_in_its_own_window_alone() -> None:
    expression = active_in("test")["sql-down"].expression
    for database in SCOPE.databases:
        assert database.maintenance is not None
        assert f'{database.name}"}}) unless on () ({database.maintenance.query})' in expression
    same = replace(SCOPE, databases=tuple(replace(database, maintenance=NIGHT) for database in SCOPE.databases))
    [joined] = [
        active.expression
        for active in select(MonitoredEnvironment("test", ALL_PACKAGES, same)).active
        if active.rule.id == "sql-down"
    ]
    assert joined.count("unless on ()") == 1


def test_a_rule_about_standbys_leaves_other_databases_out() -> None:
    alone = replace(SCOPE.databases[1], standby=False)
    scope = replace(SCOPE, databases=(SCOPE.databases[0], alone))
    [expression] = [
        active.expression
        for active in select(MonitoredEnvironment("production", ALL_PACKAGES, scope)).active
        if active.rule.id == "sql-no-standby"
    ]
    assert alone.name not in expression
    assert SCOPE.databases[0].name in expression
