"""The metrics of Jenkins: what alerts read is computed and kept, and nothing has a series for each build."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.jenkins import metrics, names
from components.jenkins.jobs import FOLDER
from components.monitoring.metrics import METRICS

OF_JENKINS = sorted(name for name, metric in METRICS.items() if "jenkins" in metric.source)


def entries(kind: str) -> list[str]:
    """The regular expressions of one kind that the plugin leaves out; Java's, which must match the entire name."""
    configuration: Any = metrics.plugin()["unclassified"]["prometheusConfiguration"]
    return [entry[kind]["regex"] for entry in configuration["disabledMetricConfig"]["entries"] if kind in entry]


def computed(name: str) -> bool:
    return not any(re.fullmatch(pattern, name) for pattern in entries("regexDisabledMetric"))


def kept(name: str) -> bool:
    [rule] = metrics.collection()["metrics"]["spec"]["endpoints"][0]["metricRelabeling"]
    assert (rule["action"], rule["sourceLabels"]) == ("keep", ["__name__"])
    return re.fullmatch(rule["regex"], name) is not None


@pytest.mark.parametrize("name", OF_JENKINS)
def test_what_alerts_read_is_computed_and_kept(name: str) -> None:
    assert computed(name)
    assert kept(name)


@pytest.mark.parametrize(
    "name",
    [
        "default_jenkins_builds_failed_build_count",  # also of jobs that are left out
        "default_jenkins_builds_last_stage_duration_milliseconds_summary",
        "default_jenkins_builds_last_build_result",
        "default_jenkins_builds_last_build_duration_milliseconds",
        "jenkins_node_build_4fx2q_builds",
    ],
)
def test_what_grows_with_builds_is_neither_computed_nor_kept(name: str) -> None:
    assert not computed(name)
    assert not kept(name)


@pytest.mark.parametrize(
    ("job", "read"),
    [
        (f"{FOLDER}/orders/production", True),
        (f"{names.CHANGES_FOLDER}/update", True),
        (f"{names.PREVIEWS_FOLDER}/stacks/PR-7", False),
        ("services/orders/main", False),
        ("services/orders/PR-7", False),
    ],
)
def test_only_jobs_of_the_platform_have_series_of_their_own(job: str, *, read: bool) -> None:
    assert read is not any(re.fullmatch(pattern, job) for pattern in entries("jobRegexDisabledMetric"))


def test_agents_have_no_series() -> None:
    assert metrics.plugin()["unclassified"]["prometheusConfiguration"]["collectNodeStatus"] is False
