"""The dashboards of an environment as JSON of the type `google.monitoring.dashboard.v1.Dashboard`.

Traps:
- Google leaves out zeros, empty strings and empty lists, and the provider shows those that were sent as a difference
  forever (terraform-provider-google#16173). Nothing like that is sent: not even the position 0.
- What Google adds is no difference for the provider, and neither is a key that a change only removes: a title names the
  alert whose line the chart has, so that a line never goes alone.
- `${Namespace}` in PromQL stands for a matcher with its label, as in Google's samples
  (https://github.com/GoogleCloudPlatform/monitoring-dashboard-samples, dashboards/kubernetes).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.monitoring.dashboards.panel import Dashboard, Panel
from components.monitoring.metrics import packages_of
from components.monitoring.scope import VARIABLE, Scope
from components.monitoring.selection import ActiveRule, MonitoredEnvironment, fill, lacking, select

COLUMNS = 48
"""Columns of the grid."""

_WIDTH, _HEIGHT = 24, 16
_NOTE_HEIGHT = 6


def present(dashboards: Iterable[Dashboard], environment: MonitoredEnvironment) -> Iterator[Dashboard]:
    """The dashboards that the environment has."""
    for dashboard in dashboards:
        if environment.stage in dashboard.stages and any(panels(dashboard, environment)):
            yield dashboard


def panels(dashboard: Dashboard, environment: MonitoredEnvironment) -> Iterator[Panel]:
    """The charts whose parts the environment has, and whose metrics its cluster sends."""
    for panel in dashboard.panels:
        if lacking(panel.query, environment.scope, each_database=panel.each_database):
            continue
        if packages_of(query(panel, environment.scope)) <= environment.packages:
            yield panel


def query(panel: Panel, scope: Scope) -> str:
    """The PromQL of a chart."""
    return fill(panel.query, scope, each_database=panel.each_database)


def document(dashboard: Dashboard, environment: MonitoredEnvironment, *, scope: Scope, runbooks: str) -> str:
    """The JSON of a dashboard; `scope` has the real names of what the environment's own has keys of."""
    active = {rule.rule.id: rule for rule in select(environment).active}
    tiles = [_note(runbooks)]
    for index, panel in enumerate(panels(dashboard, environment)):
        limit = None if panel.rule is None else active.get(panel.rule)
        row, column = divmod(index, COLUMNS // _WIDTH)
        tiles.append(_tile(column * _WIDTH, _NOTE_HEIGHT + row * _HEIGHT, _WIDTH, _HEIGHT, _chart(panel, scope, limit)))
    content: dict[str, Any] = {
        "displayName": f"{environment.scope.cluster}: {dashboard.title}",
        "mosaicLayout": {"columns": COLUMNS, "tiles": tiles},
    }
    if dashboard.variable:
        content["dashboardFilters"] = [
            {"filterType": "RESOURCE_LABEL", "labelKey": "namespace", "templateVariable": VARIABLE}
        ]
    return json.dumps(content, sort_keys=True)


def _note(runbooks: str) -> dict[str, Any]:
    text = f"Lines across a chart are thresholds of alerts. What to do when one fires: [runbooks]({runbooks}/README.md)"
    return _tile(0, 0, COLUMNS, _NOTE_HEIGHT, {"text": {"content": text, "format": "MARKDOWN"}})


def _tile(x: int, y: int, width: int, height: int, widget: Mapping[str, Any]) -> dict[str, Any]:
    place = {"xPos": x, "yPos": y}
    return {**{key: value for key, value in place.items() if value}, "width": width, "height": height, "widget": widget}


def _chart(panel: Panel, scope: Scope, limit: ActiveRule | None) -> dict[str, Any]:
    series = {
        "plotType": "LINE",
        "targetAxis": "Y1",
        "timeSeriesQuery": {"prometheusQuery": query(panel, scope), "unitOverride": panel.unit},
    }
    chart: dict[str, Any] = {"chartOptions": {"mode": "COLOR"}, "dataSets": [series], "yAxis": {"scale": "LINEAR"}}
    if limit is None or not limit.threshold.value:
        return {"title": panel.title, "xyChart": chart}
    label = f"{limit.rule.id} ({limit.severity})"
    chart["thresholds"] = [{"label": label, "targetAxis": "Y1", "value": float(limit.threshold.operand)}]
    return {"title": f"{panel.title}; {label}", "xyChart": chart}
