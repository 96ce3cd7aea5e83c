"""The metrics of Jenkins: what its Prometheus plugin computes, and what Google's collection keeps. Plain data.

Sources: docs/configuration and docs/metrics of github.com/jenkinsci/prometheus-plugin, and the names of
github.com/jenkinsci/metrics-plugin.

Traps: by default the plugin makes series for each branch, stage and agent. Agents and pull requests have new names all
the time, so that Jenkins' memory and Google's bill grow with them. The plugin filters by the name of a metric; only its
settings leave out agents. Series that were scraped once are paid, so the collection has a list of its own.
"""

from __future__ import annotations

from typing import Any

from components.jenkins import names, traffic
from components.monitoring.metrics import LAST_RESULT

PATH = "/prometheus/"
"""With the slash at the end: without it, Jenkins answers with a redirect."""

_BUILDS = "default_jenkins_builds_"
"""What the names of metrics about single jobs begin with."""

KEPT = (
    "default_jenkins_up",
    LAST_RESULT,
    "jenkins_executor_(count|in_use)_value",
    "jenkins_health_check_score",
    "jenkins_queue_(blocked|buildable|pending|stuck)_value",
    "jenkins_runs_(aborted|failure|not_built|success|total|unstable)_total",
)
"""Regular expressions of what Google stores: what alerts read, and the queue, executors and builds over time."""

_SECONDS = 60


def plugin() -> dict[str, Any]:
    """The configuration of the plugin: the last result of the platform's jobs, and nothing else of single jobs."""
    disabled: list[dict[str, Any]] = [
        {"jobRegexDisabledMetric": {"regex": rf"(?!{names.PLATFORM_FOLDER}/|{names.CHANGES_FOLDER}/).*"}},
        {"regexDisabledMetric": {"regex": rf"{_BUILDS}(?!{LAST_RESULT.removeprefix(_BUILDS)}$).*"}},
        {"regexDisabledMetric": {"regex": "jenkins_node_.*"}},  # one for each agent
    ]
    settings = {
        "collectingMetricsPeriodInSeconds": _SECONDS,
        "collectDiskUsage": False,  # it reads every file of the home volume
        "collectNodeStatus": False,
        "fetchTestResults": False,
        "disabledMetricConfig": {"entries": disabled},
    }
    return {"unclassified": {"prometheusConfiguration": settings}}


def collection() -> dict[str, Any]:
    """What Google's collection reads from the controller: an extra object of the chart, whose own one keeps all."""
    endpoint = {
        "port": "http",
        "path": PATH,
        "interval": f"{_SECONDS}s",
        "metricRelabeling": [{"action": "keep", "sourceLabels": ["__name__"], "regex": "|".join(KEPT)}],
    }
    return {
        "metrics": {
            "apiVersion": "monitoring.googleapis.com/v1",
            "kind": "PodMonitoring",
            "metadata": {"name": "jenkins", "namespace": names.CONTROLLER_NAMESPACE},
            "spec": {"selector": {"matchLabels": dict(traffic.CONTROLLER_LABELS)}, "endpoints": [endpoint]},
        }
    }
