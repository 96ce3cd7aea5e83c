"""Every default of the chart is decided: stated in our values, or listed with the reason why it fits.

Helm merges the chart's values with ours, map by map: without a limit in our values, the chart's limit applies, whatever we request.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from support.jenkins import ADDRESSES, JOBS, LEAST, MOST, SOURCE, settings

from components.jenkins.values import helm_values
from components.versions import JENKINS_CHART

DATA = Path(__file__).parent / "chart"
RECORDED: dict[str, Any] = yaml.safe_load((DATA / "defaults.yaml").read_text())
DECISIONS: dict[str, str] = yaml.safe_load((DATA / "decisions.yaml").read_text())
BOTH = pytest.mark.parametrize("base", [LEAST, MOST], ids=["least", "most"])
CHART = os.environ.get("JENKINS_CHART_DIR", "")


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value that is not a map, by its path; an empty map is a value."""
    if isinstance(value, Mapping) and value:
        for key, item in cast("Mapping[str, object]", value).items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    else:
        yield path, value


def stated(base: dict[str, Any]) -> set[str]:
    """Paths that our values state."""
    return {path for path, _ in leaves(helm_values(settings(base), ADDRESSES, SOURCE, JOBS))}


def covers(path: str, other: str) -> bool:
    """Whether a path is the other one or above it."""
    return other == path or other.startswith(f"{path}.")


def undecided(defaults: Mapping[str, object], ours: set[str], decisions: Mapping[str, str]) -> list[str]:
    """Defaults that are neither stated nor decided. A map with values that is empty in the chart is stated."""
    return [
        path
        for path in defaults
        if not any(covers(other, path) or covers(path, other) for other in ours)
        and not any(covers(decision, path) for decision in decisions)
    ]


@BOTH
def test_every_default_is_stated_or_decided(base: dict[str, Any]) -> None:
    assert undecided(RECORDED["defaults"], stated(base), DECISIONS) == []


@BOTH
def test_a_default_without_a_decision_is_reported(base: dict[str, Any]) -> None:
    """An earlier fault: the values stated requests and one of two limits, and Helm merged in the chart's other limit."""
    ours = stated(base) - {"controller.resources.limits.cpu"}
    assert undecided(RECORDED["defaults"], ours, DECISIONS) == ["controller.resources.limits.cpu"]
    without = {path: reason for path, reason in DECISIONS.items() if path != "controller.ingress"}
    assert "controller.ingress.enabled" in undecided(RECORDED["defaults"], stated(base), without)
    assert undecided({"controller.newSwitch": True}, stated(base), DECISIONS) == ["controller.newSwitch"]


def test_no_decision_covers_what_is_stated_and_each_is_about_a_default() -> None:
    assert all(isinstance(reason, str) and reason for reason in DECISIONS.values())
    always, sometimes = stated(LEAST) & stated(MOST), stated(LEAST) | stated(MOST)
    for path in DECISIONS:
        assert any(covers(path, default) for default in RECORDED["defaults"]), f"{path}: the chart has no such default"
        assert path not in always, f"{path}: is stated; remove the decision"
        inside = [] if path in RECORDED["defaults"] else [other for other in sometimes if covers(path, other)]
        assert not inside, f"{path}: {inside[0]} is stated; decide the others separately"


def test_the_record_is_of_the_chart_that_is_pinned() -> None:
    assert RECORDED["chart"] == JENKINS_CHART


@pytest.mark.skipif(not CHART, reason="needs JENKINS_CHART_DIR (charts/jenkins of a checkout of jenkinsci/helm-charts)")
def test_the_record_is_equal_to_the_defaults_of_the_chart() -> None:
    version = yaml.safe_load(Path(CHART, "Chart.yaml").read_text())["version"]
    if version != JENKINS_CHART:
        pytest.skip(f"JENKINS_CHART_DIR has {version}, and {JENKINS_CHART} is pinned")
    assert dict(leaves(yaml.safe_load(Path(CHART, "values.yaml").read_text()))) == RECORDED["defaults"]
