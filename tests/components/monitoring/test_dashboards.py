"""Dashboards: documents that Google accepts, and charts of metrics that the environment sends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.cloud.monitoring_dashboard_v1.types import Dashboard as GoogleDashboard
from google.protobuf import json_format
from support.mocks import Recording
from support.promql import long_windows, unknown_metrics, without_place, without_resource, wrong_functions

from atwork.alerts import promtool
from atwork.alerts.cases import ALL_PACKAGES, SCOPE
from components.cluster_monitoring import metric_packages
from components.monitoring.catalog import RULES
from components.monitoring.dashboards import DASHBOARDS
from components.monitoring.dashboards.document import COLUMNS, document, panels, present, query
from components.monitoring.dashboards.panel import RATIO, Dashboard
from components.monitoring.metrics import METRICS, packages_of, series_in
from components.monitoring.rule import STAGES
from components.monitoring.scope import Scope
from components.monitoring.selection import Adjustment, MonitoredEnvironment
from components.monitoring.slo import PERIOD
from components.type_tokens import DASHBOARD

ENVIRONMENTS = {stage: MonitoredEnvironment(stage, ALL_PACKAGES, SCOPE) for stage in STAGES}
PRODUCTION = ENVIRONMENTS["production"]
BY_ID = {dashboard.id: dashboard for dashboard in DASHBOARDS}
MOST_WIDGETS = 100
"""https://cloud.google.com/monitoring/quotas"""


def content(dashboard: Dashboard, environment: MonitoredEnvironment = PRODUCTION) -> dict[str, Any]:
    return json.loads(document(dashboard, environment, scope=environment.scope, runbooks="https://example.com/alerts"))


CONTENTS = {
    f"{stage} {dashboard.id}": content(dashboard, environment)
    for stage, environment in ENVIRONMENTS.items()
    for dashboard in present(DASHBOARDS, environment)
}


def expanded(text: str) -> str:
    """A query as Cloud Monitoring reads it with a value of the variable."""
    return text.replace("${Namespace}", 'namespace=~".+"')


QUERIES = {
    f"{dashboard.id}: {panel.title}": expanded(query(panel, SCOPE))
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
}


def accepted(document: dict[str, Any]) -> Any:
    return json_format.ParseDict(document, GoogleDashboard.pb(GoogleDashboard()))


def empty_values(value: Any, path: str = "") -> list[str]:
    """Values that Google leaves out, which the provider would show as a difference forever."""
    if isinstance(value, dict) and value:
        return [result for key, item in value.items() for result in empty_values(item, f"{path}.{key}")]
    if isinstance(value, list) and value:
        return [result for index, item in enumerate(value) for result in empty_values(item, f"{path}[{index}]")]
    return [] if value else [path]


def overlaps(tiles: list[dict[str, Any]]) -> list[str]:
    """Cells of the grid with two tiles, or outside of it."""
    used: set[tuple[int, int]] = set()
    wrong: list[str] = []
    for tile in tiles:
        x, y = tile.get("xPos", 0), tile.get("yPos", 0)
        cells = {(x + right, y + down) for right in range(tile["width"]) for down in range(tile["height"])}
        wrong += [f"{cell}" for cell in cells & used] + [f"{cell}" for cell in cells if cell[0] >= COLUMNS]
        used |= cells
    return wrong


@pytest.mark.parametrize("name", CONTENTS)
def test_google_accepts_every_dashboard(name: str) -> None:
    result = accepted(CONTENTS[name])
    assert json_format.MessageToDict(result) == CONTENTS[name], "what is sent is what Google stores"
    assert empty_values(CONTENTS[name]) == []
    tiles = CONTENTS[name]["mosaicLayout"]["tiles"]
    assert overlaps(tiles) == []
    assert 1 < len(tiles) <= MOST_WIDGETS


def test_a_wrong_document_is_noticed() -> None:
    wrong = content(BY_ID["cluster"])
    wrong["mosaicLayout"]["tiles"][1]["widget"]["xyChart"]["dataSets"][0]["promql"] = "up"
    with pytest.raises(json_format.ParseError, match="promql"):
        accepted(wrong)
    wrong = content(BY_ID["cluster"])
    wrong["mosaicLayout"]["tiles"][2]["xPos"] = 12
    assert overlaps(wrong["mosaicLayout"]["tiles"])
    wrong["mosaicLayout"]["tiles"][2]["xPos"] = 40
    assert overlaps(wrong["mosaicLayout"]["tiles"])
    wrong["mosaicLayout"]["tiles"][0]["xPos"] = 0
    wrong["labels"] = {}
    assert empty_values(wrong) == [".mosaicLayout.tiles[0].xPos", ".labels"]


def test_every_chart_has_a_unit_and_a_title_of_its_own() -> None:
    for dashboard in DASHBOARDS:
        assert len({panel.title for panel in dashboard.panels}) == len(dashboard.panels)
        for tile in content(dashboard)["mosaicLayout"]["tiles"][1:]:
            assert tile["widget"]["title"]
            assert tile["widget"]["xyChart"]["dataSets"][0]["timeSeriesQuery"]["unitOverride"]


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_about_the_environment_and_of_known_metrics(name: str) -> None:
    result = QUERIES[name]
    for check in (unknown_metrics, without_place, without_resource, wrong_functions):
        assert check(result) == [], check.__name__
    assert series_in(result) <= METRICS.keys() | {f"{key}_bucket" for key in METRICS}
    assert "$" not in result
    assert long_windows(result, PERIOD) == []
    assert (long_windows(result) != []) == ("Error budget" in name), "only the budget is about a longer time than a day"


def test_prometheus_accepts_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"chart:{index}", "expr": text} for index, text in enumerate(QUERIES.values())]
    assert promtool.check_file(tmp_path, {"groups": [{"name": "charts", "rules": rules}]}).passed
    rules.append({"record": "chart:wrong", "expr": "sum by (rate(up[5m]))"})
    assert not promtool.check_file(tmp_path, {"groups": [{"name": "charts", "rules": rules}]}).passed


def test_what_is_left_of_an_error_budget(tmp_path: Path) -> None:
    """Of a thousand requests, one may fail: two thirds of the budget are used up, and one and a half budgets."""
    budget = QUERIES[f"services: Error budget that is left of {PERIOD.days} days"]
    place = 'cluster="atwork-production",slo="availability",team="t"'
    series = {
        "orders": {"bad_requests:rate5m": 0.02, "requests:rate5m": 30, "error_budget:ratio": 0.001},
        "shop": {"bad_requests:rate5m": 0.03, "requests:rate5m": 20, "error_budget:ratio": 0.001},
        "idle": {"bad_requests:rate5m": 0, "requests:rate5m": 0, "error_budget:ratio": 0.001},
    }
    expected = {"orders": 1 / 3, "shop": -0.5}
    test = {
        "interval": "1m",
        "input_series": [
            {"series": f'slo:{name}{{{place},namespace="{service}",service="{service}"}}', "values": f"{value}x60"}
            for service, values in series.items()
            for name, value in values.items()
        ],
        "promql_expr_test": [
            {
                "expr": f"round({budget}, 0.0001)",
                "eval_time": "60m",
                "exp_samples": [
                    {"labels": f'{{service="{service}",slo="availability"}}', "value": round(value, 4)}
                    for service, value in expected.items()
                ],
            }
        ],
    }
    outcome = promtool.run_tests(tmp_path, [], [test])
    assert outcome.passed, outcome.output


def test_a_chart_without_its_metrics_is_left_out() -> None:
    few = replace(PRODUCTION, packages=metric_packages(()))
    titles = {panel.title for panel in panels(BY_ID["cluster"], few)}
    assert {panel.title for panel in BY_ID["cluster"].panels} - titles == {
        "Errors of the Kubernetes API",
        "Duration of API requests, 99th percentile",
        "Duration of admission webhooks, 99th percentile",
    }
    for dashboard in present(DASHBOARDS, few):
        for panel in panels(dashboard, few):
            assert packages_of(query(panel, SCOPE)) <= few.packages


def test_an_environment_has_the_dashboards_of_its_parts() -> None:
    def ids(environment: MonitoredEnvironment) -> list[str]:
        return [dashboard.id for dashboard in present(DASHBOARDS, environment)]

    bare = Scope(project="p", cluster="c")
    assert ids(PRODUCTION) == ["cluster", "services", "databases", "jenkins"]
    assert ids(replace(PRODUCTION, scope=bare)) == ["cluster", "services"]
    assert ids(replace(ENVIRONMENTS["build"], scope=bare)) == ["cluster"]


def limits(dashboard: Dashboard, environment: MonitoredEnvironment) -> dict[str, float]:
    return {
        limit["label"]: limit["value"]
        for tile in content(dashboard, environment)["mosaicLayout"]["tiles"][1:]
        for limit in tile["widget"]["xyChart"].get("thresholds", ())
    }


def test_the_lines_are_the_thresholds_of_the_alerts_here() -> None:
    assert limits(BY_ID["databases"], PRODUCTION)["sql-cpu (ticket)"] == 0.9
    tuned = replace(PRODUCTION, adjustments={"sql-cpu": Adjustment(threshold=70, severity="page")})
    assert limits(BY_ID["databases"], tuned)["sql-cpu (page)"] == 0.7
    off = replace(PRODUCTION, adjustments={"sql-cpu": Adjustment(disabled="somebody else watches it")})
    assert "sql-cpu" not in json.dumps(content(BY_ID["databases"], off)), "the title changes with the line"
    assert "; sql-cpu (ticket)" in json.dumps(content(BY_ID["databases"]))
    assert "api-slow" not in " ".join(limits(BY_ID["cluster"], ENVIRONMENTS["test"])), "no alert of this stage"


def test_the_unit_of_a_chart_is_that_of_its_alert() -> None:
    units = {"%": RATIO, "s": "s", "days": "d"}
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            unit = None if panel.rule is None else RULES[panel.rule].threshold.unit
            if unit is not None:
                assert panel.unit == units.get(unit, "1"), panel.title


def test_each_environment_has_its_dashboards(recordings: dict[str, Recording]) -> None:
    result = {name: sorted(recording.of_type(DASHBOARD)) for name, recording in recordings.items()}
    assert result == {
        "ci": ["dashboard-cluster", "dashboard-jenkins"],
        "staging": ["dashboard-cluster", "dashboard-databases", "dashboard-services"],
        "production": ["dashboard-cluster", "dashboard-databases", "dashboard-services"],
    }
    for name, recording in recordings.items():
        for item in recording.of_type(DASHBOARD).values():
            text = item.inputs["dashboardJson"]
            accepted(json.loads(text))
            assert f"atwork-{name}" in text
            assert "/docs/runbooks/alerts/README.md" in text
            assert text == json.dumps(json.loads(text), sort_keys=True), "the same text in every run"
