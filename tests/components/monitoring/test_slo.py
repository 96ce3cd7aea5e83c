"""The arithmetic of objectives, and the recorded rules in Prometheus."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from atwork.alerts import promtool
from atwork.alerts.cases import ALL_PACKAGES, SCOPE
from components.monitoring.rule_file import rule_file
from components.monitoring.selection import MonitoredEnvironment, select
from components.monitoring.slo import MOST, PAIRS, PERIOD, Pair, rule_groups
from components.monitoring.slo_settings import BUCKETS_MS, SloSettings, milliseconds, written

BUDGETS = st.floats(0.0001, 0.1)
PAIR = st.sampled_from(PAIRS)
PAGES = [pair for pair in PAIRS if pair.urgency == "page"]
SHORT = {"5m": 5, "30m": 30, "2h": 120, "6h": 360}
SLO = SloSettings.model_validate_json('{"availability": 99.9, "latency": {"under": "300ms", "share": 99}}')


class Series:
    """A small evaluator: the ratio of failures by minute, with the same traffic in each minute."""

    def __init__(self, ratios: list[float]) -> None:
        self.ratios = ratios

    def average(self, minutes: int) -> float:
        return sum(self.ratios[-minutes:]) / minutes

    def burn(self, pair: Pair, budget: float) -> float:
        """What the recorded rule says."""
        return min(self.average(pair.hours * 60), self.average(SHORT[pair.short])) / pair.limit(budget)

    def pages(self, budget: float) -> bool:
        return any(self.burn(pair, budget) > 1 for pair in PAGES)


@given(PAIR, BUDGETS)
def test_at_the_limit_exactly_the_stated_share_is_spent(pair: Pair, budget: float) -> None:
    if pair.limit(budget) < MOST:
        spent = pair.limit(budget) * timedelta(hours=pair.hours) / (budget * PERIOD)
        assert spent == pytest.approx(pair.share)


def test_the_factors_are_those_of_the_workbook() -> None:
    assert [pair.factor for pair in PAIRS] == pytest.approx([14.4, 6, 3, 1])
    assert [pair.hours * 60 / SHORT[pair.short] for pair in PAIRS] == [12, 12, 12, 12]


@given(st.floats(0.0001, 0.003))
def test_a_complete_outage_pages_within_three_minutes(budget: float) -> None:
    """The evaluations of the recorded rule and of the alert, and the time to send values, come on top."""
    assert Series([0.0] * 360 + [1.0] * 3).pages(budget)


@given(BUDGETS)
def test_a_complete_outage_always_pages(budget: float) -> None:
    assert Series([0.0] * 360 + [1.0] * 60).pages(budget)


@given(BUDGETS, st.floats(0, 1))
def test_a_steady_burn_that_the_budget_allows_never_pages(budget: float, part: float) -> None:
    assert not Series([budget * part] * 360).pages(budget)


@given(BUDGETS, st.integers(10, 400))
def test_pages_end_with_the_short_windows(budget: float, outage: int) -> None:
    failing = [0.0] * 360 + [1.0] * outage
    fast, slow = PAGES
    assert Series(failing + [0.0] * 5).burn(fast, budget) == 0
    assert Series(failing + [0.0] * 30).burn(slow, budget) == 0


@given(PAIR, BUDGETS)
def test_a_single_failure_never_fires(pair: Pair, budget: float) -> None:
    least = pair.least_requests(budget)
    assert 1 / least <= pair.limit(budget) * (1 + 1e-5)
    assert least == 1 or 1 / (least - 1) > pair.limit(budget)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"availability": 100}, "100 leaves no budget for failures; write 99.99 at most"),
        ({"availability": 99.999}, "used up before somebody can react; write 99.99 at most"),
        ({"availability": 89.9}, "89.9 is below 90, where alerts come too late; write 90 at least"),
        ({"latency": {"share": 99}}, "under"),
        ({"latency": {"under": "300ms"}}, "share"),
        (
            {"latency": {"under": "280ms", "share": 99}},
            "280ms is not a bound of the histogram of services; write 300ms",
        ),
        ({"latency": {"under": "0.3", "share": 99}}, "write an integer with ms or s"),
        ({}, "has no objective; add availability or latency, or remove slo"),
    ],
)
def test_an_objective_that_cannot_be_watched_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SloSettings.model_validate_json(json.dumps(settings))


def test_every_bucket_can_be_written() -> None:
    for bucket in BUCKETS_MS:
        assert milliseconds(written(bucket)) == bucket


def groups(slo: SloSettings = SLO) -> list[dict[str, Any]]:
    return rule_groups(slo, cluster=SCOPE.cluster, service="orders", team="team-orders")


def test_the_recorded_rules_are_sound(tmp_path: Path) -> None:
    outcome = promtool.check_file(tmp_path, {"groups": groups()})
    assert outcome.passed, outcome.output


OWN = 'cluster="atwork-production",namespace="orders",pod="orders-1"'
OTHERS = ('cluster="atwork-production-2",namespace="orders"', 'cluster="atwork-production",namespace="preview-1"')


def requests(place: str, good: str, bad: str | None) -> list[dict[str, str]]:
    failed = [] if bad is None else [{"series": f'http_requests_total{{{place},code="500"}}', "values": bad}]
    return [{"series": f'http_requests_total{{{place},code="200"}}', "values": good}, *failed]


def durations(place: str, quick: str, all_of_them: str) -> list[dict[str, str]]:
    name = "http_request_duration_seconds"
    return [
        {"series": f'{name}_bucket{{{place},le="0.3"}}', "values": quick},
        {"series": f'{name}_bucket{{{place},le="+Inf"}}', "values": all_of_them},
        {"series": f"{name}_count{{{place}}}", "values": all_of_them},
    ]


OUTAGE = requests(OWN, "0+100x400 40000x2 40100+100x90", "0x400 100 200 200x90")
PAGES_WHEN = {
    # name: series, and whether the alert fires by the minute
    "outage": (OUTAGE, {400: None, 402: "availability", 403: "availability", 409: None}),
    "no failure yet": (requests(OWN, "0+100x400", None), {399: None}),
    "little traffic": (requests(OWN, "0+1x60 60x60", "0x60 0+1x60"), {63: None}),
    "slow": (durations(OWN, "0+100x60 6000+50x60", "0+100x120"), {60: None, 90: "latency"}),
    "quick enough": (durations(OWN, "0+99x120", "0+100x120"), {90: None}),
    "others": ([row for place in OTHERS for row in requests(place, "0x120", "0+100x120")], {90: None}),
}
"""The service has 100 requests a minute, of which 2 minutes fail."""

TICKETS_WHEN = {
    "within the budget": (requests(OWN, "0+9991x1130", "0+9x1130"), {4500: None}),
    "above the budget": (requests(OWN, "0+9988x1130", "0+12x1130"), {4500: "availability"}),
}
"""The service has 10000 requests in 4 minutes, for three days."""


def fired(alert: str, severity: str, slo: str | None) -> dict[str, object]:
    labels = {"service": "orders", "team": "team-orders", "severity": severity}
    return {"alertname": alert, "exp_alerts": [] if slo is None else [{"exp_labels": {**labels, "slo": slo}}]}


def case(alert: str, severity: str, interval: str, name: str, series: object, expected: object) -> dict[str, object]:
    assert isinstance(expected, dict)
    return {
        "name": name,
        "interval": interval,
        "input_series": series,
        "alert_rule_test": [
            {"eval_time": f"{minute}m", **fired(alert, severity, slo)} for minute, slo in expected.items()
        ],
    }


def alert_groups(rule_id: str, interval: str) -> list[dict[str, object]]:
    environment = MonitoredEnvironment("production", ALL_PACKAGES, SCOPE)
    file = rule_file([active for active in select(environment).active if active.rule.id == rule_id])
    return [{**group, "interval": interval} for group in file["groups"]]


def test_pages_of_objectives(tmp_path: Path) -> None:
    page, _ = groups()
    tests = [case("slo_burn_fast", "page", "1m", name, *rest) for name, rest in PAGES_WHEN.items()]
    outcome = promtool.run_tests(tmp_path, [page, *alert_groups("slo-burn-fast", "1m")], tests)
    assert outcome.passed, outcome.output


def test_tickets_of_objectives(tmp_path: Path) -> None:
    page, ticket = groups(SloSettings(availability=99.9))
    recorded = {**page, "rules": page["rules"][:2], "interval": "30m"}
    rules = [recorded, {**ticket, "interval": "30m"}, *alert_groups("slo-burn-slow", "30m")]
    tests = [case("slo_burn_slow", "ticket", "4m", name, *rest) for name, rest in TICKETS_WHEN.items()]
    outcome = promtool.run_tests(tmp_path, rules, tests, minutes=30)
    assert outcome.passed, outcome.output


def test_a_team_with_channels_of_its_own_has_its_own_query() -> None:
    rest = replace(SCOPE, teams=("team-orders", "team-shop"))
    assert rest.selectors()["objectives"] == 'cluster="atwork-production",team!~"team-orders|team-shop"'
    assert replace(rest, team="team-shop").selectors()["objectives"] == 'cluster="atwork-production",team="team-shop"'
