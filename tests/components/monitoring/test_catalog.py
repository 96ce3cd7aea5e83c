"""The rules of the catalog: each fires when it should and not before, in a project with another cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from atwork.alerts import promtool
from atwork.alerts.cases import ALL_PACKAGES, CASES, SCOPE, VARIANTS, active_rules
from components.monitoring.catalog import RULES
from components.monitoring.rule import STAGES
from components.monitoring.selection import ActiveRule, MonitoredEnvironment, render, select


def active() -> list[ActiveRule]:
    return list(active_rules().values())


def test_every_rule_fires_when_it_should_and_not_otherwise(tmp_path: Path) -> None:
    outcome = promtool.run(tmp_path, active(), CASES)
    assert outcome.passed, outcome.output


def test_the_rules_of_every_stage_are_sound(tmp_path: Path) -> None:
    for stage in STAGES:
        outcome = promtool.check(tmp_path, select(MonitoredEnvironment(stage, ALL_PACKAGES, SCOPE)).active)
        assert outcome.passed, outcome.output


def test_every_rule_has_cases_and_every_case_a_rule() -> None:
    assert CASES.keys() == RULES.keys() == {rule.rule.id for rule in active()}
    for case in CASES.values():
        assert all(variant in series for series in case.series for variant in VARIANTS)


def nudged(active: ActiveRule) -> ActiveRule:
    """A rule whose threshold is a little less than the value of the boundary case, or the other state."""
    threshold = active.threshold
    if threshold.unit is None and threshold.operator == "==":
        moved = 1 - threshold.value
    elif threshold.operator == "<":
        moved = threshold.value * 1.02
    else:
        moved = threshold.value * 0.98 if threshold.value else -0.001
    expression = render(active.rule, replace(threshold, value=moved), SCOPE, mutes=active.mutes)
    assert expression != active.expression
    return replace(active, expression=expression)


def everywhere(active: ActiveRule) -> ActiveRule:
    """A rule without what limits it to the environment."""
    expression = active.expression
    for label, name in (("cluster", SCOPE.cluster), ("cluster_name", SCOPE.cluster), ("gateway_name", SCOPE.gateway)):
        expression = expression.replace(f'{label}="{name}"', f'{label}=~".+"')
    expression = expression.replace(f'project_id="{SCOPE.project}"', 'project_id=~".+"')
    expression = expression.replace("([^.]+[.])?(example[.]com)", ".+")
    for database in SCOPE.databases:
        expression = expression.replace(f"{SCOPE.project}:{database.name}", f"{SCOPE.project}:.+")
    assert expression != active.expression
    return replace(active, expression=expression)


def slower(active: ActiveRule) -> ActiveRule:
    """A rule that waits for one more evaluation."""
    return replace(active, minutes=active.minutes + active.interval // 60)


def sooner(active: ActiveRule) -> ActiveRule:
    """A rule that waits for one evaluation less."""
    return replace(active, minutes=max(active.minutes - active.interval // 60, 0))


def test_the_boundary_cases_are_at_the_boundary(tmp_path: Path) -> None:
    # What is counted or absent has no value below the boundary; the next test moves what is around them.
    without_value = {"telemetry-gone", "build-unschedulable", "jenkins-down"}
    failed = promtool.run(tmp_path, active(), CASES, nudged).failed
    assert failed >= {f"{key} boundary" for key in RULES.keys() - without_value}


def test_a_rule_that_looks_at_other_environments_fails(tmp_path: Path) -> None:
    failed = promtool.run(tmp_path, active(), CASES, everywhere).failed
    assert {name.partition(" ")[0] for name in failed} == RULES.keys()


def test_a_rule_with_another_wait_fails(tmp_path: Path) -> None:
    assert promtool.run(tmp_path, active(), CASES, slower).failed == {f"{key} firing" for key in RULES}
    waiting = {f"{active.rule.id} firing" for active in active() if active.minutes}
    assert promtool.run(tmp_path, active(), CASES, sooner).failed == waiting
