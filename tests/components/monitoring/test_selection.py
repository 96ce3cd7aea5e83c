"""Which rules an environment has, and which it lists as left out."""

from __future__ import annotations

from dataclasses import replace

from atwork.alerts.cases import ALL_PACKAGES, SCOPE
from components.cluster_monitoring import metric_packages
from components.monitoring.catalog import RULES, builds
from components.monitoring.rule import SEVERITIES, STAGES
from components.monitoring.selection import Adjustment, MonitoredEnvironment, Selection, select
from infra.config import STACKS, read_all

PRODUCTION = MonitoredEnvironment("production", ALL_PACKAGES, SCOPE)
MOST_PAGES = 12


def ids(selection: Selection) -> set[str]:
    return {active.rule.id for active in selection.active}


def left_out(selection: Selection) -> dict[str, str]:
    return {item.rule.id: item.reason for item in selection.left_out}


def test_production_has_every_rule_of_its_stage() -> None:
    for name, stack in read_all(STACKS).items():
        packages = metric_packages(stack.cluster.control_plane_metrics)
        if stack.upstream is not None and stack.environment.tier != "test":
            assert select(MonitoredEnvironment("production", packages, SCOPE)).left_out == (), name


def test_a_rule_without_its_metrics_is_left_out_and_listed() -> None:
    selection = select(replace(PRODUCTION, packages=metric_packages(())))
    advice = "the cluster does not send {}; add it to cluster.control_plane_metrics"
    assert left_out(selection) == {
        "volume-trend": advice.format("KUBELET"),
        "api-errors": advice.format("APISERVER"),
        "api-slow": advice.format("APISERVER"),
        "webhook-slow": advice.format("APISERVER"),
    }
    assert ids(selection) == ids(select(PRODUCTION)) - left_out(selection).keys()


def test_a_rule_about_a_part_that_is_missing_is_left_out_and_listed() -> None:
    selection = select(replace(PRODUCTION, scope=replace(SCOPE, gateway=None, databases=())))
    assert left_out(selection)["nat-no-ports"] == "the environment has no NAT gateway of its own"
    assert left_out(selection)["sql-disk-full"] == "the environment has no database"
    assert not {key for key in ids(selection) if key.startswith(("sql-", "nat-"))}
    build = select(replace(PRODUCTION, stage="build", scope=replace(SCOPE, builds=False)))
    assert left_out(build) == dict.fromkeys((rule.id for rule in builds.RULES), "the environment has no Jenkins")


def test_rules_of_postgres_look_at_databases_of_postgres_alone() -> None:
    mysql = tuple(replace(database, connections=None) for database in SCOPE.databases)
    selection = select(replace(PRODUCTION, scope=replace(SCOPE, databases=mysql)))
    assert left_out(selection).keys() == {
        "sql-connections",
        "sql-idle-in-transaction",
        "sql-transaction-ids",
        "sql-transaction-ids-low",
        "sql-archive-fails",
    }
    mixed = select(replace(PRODUCTION, scope=replace(SCOPE, databases=(SCOPE.databases[0], mysql[1]))))
    expressions = {active.rule.id: active.expression for active in mixed.active}
    assert mysql[1].name not in expressions["sql-connections"] + expressions["sql-idle-in-transaction"]
    assert mysql[1].name in expressions["sql-disk-full"]


def test_an_environment_tunes_a_rule_or_turns_it_off() -> None:
    changed = {
        "volume-filling": Adjustment(threshold=80, minutes=20, severity="note"),
        "api-slow": Adjustment(disabled="the clients are batch jobs"),
    }
    selection = select(replace(PRODUCTION, adjustments=changed))
    rule = next(active for active in selection.active if active.rule.id == "volume-filling")
    assert (rule.severity, rule.minutes, rule.threshold.words) == ("note", 20, "80%")
    assert rule.expression.endswith(" > 0.8")
    assert left_out(selection) == {"api-slow": "disabled: the clients are batch jobs"}


def test_few_rules_wake_a_person_and_none_outside_production() -> None:
    pages = {stage: sum(rule.severities.at(stage) == "page" for rule in RULES.values()) for stage in STAGES}
    assert 0 < pages.pop("production") <= MOST_PAGES
    assert set(pages.values()) == {0}


def test_nothing_is_more_urgent_before_production() -> None:
    for rule in RULES.values():
        first, last = rule.severities.test, rule.severities.production
        assert first is None or last is None or SEVERITIES.index(first) >= SEVERITIES.index(last), rule.id


def test_a_wait_is_a_number_of_evaluations() -> None:
    for stage in STAGES:
        for active in select(MonitoredEnvironment(stage, ALL_PACKAGES, SCOPE)).active:
            assert active.minutes * 60 % active.interval == 0, active.rule.id
