"""The section `monitoring` of a stack file: what it accepts, what it refuses and with which words, what it declares."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from support.mocks import Recording
from support.program import run_stack

from components.google.sql import postgres_connections
from components.monitoring.catalog import RULES
from components.monitoring.logs import LOG_RULES, log_filter
from components.monitoring.rule import POLICY_SEVERITY
from components.monitoring.selection import select
from components.monitoring.settings import AlertSettings
from components.monitoring.windows import Span, Window, YearlySpan
from components.type_tokens import ALERT_POLICY
from infra.config import STACKS, parse, read_all, read_file
from infra.errors import ConfigError
from infra.monitored import monitored

PRODUCTION: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.production.yaml") or "")
STAGING: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.staging.yaml") or "")
STAGES = ("ci", "staging", "production")
MOST_RESOURCES = {"production": 60, "staging": 45, "ci": 35}


def text(base: dict[str, Any], **changes: Any) -> str:
    settings = copy.deepcopy(base)
    settings["monitoring"] |= changes
    return json.dumps(settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": {}}, r"monitoring\.channels: is empty; write an entry"),
        ({"channels": {"team": {}}}, "has no ways to reach people; write exactly one of existing, email and topic"),
        ({"channels": {"team": {"email": "a@example.com", "topic": "alerts"}}}, "has 2 ways to reach people"),
        ({"channels": {"team": {"existing": "slack"}}}, "projects/PROJECT/notificationChannels/NUMBER"),
        (
            {"routes": {"page": ["nobody"], "ticket": ["team"]}},
            r"routes\.page: there is no channels\.nobody; name one of",
        ),
        (
            {
                "routes": {
                    "page": ["on-call"],
                    "ticket": ["team"],
                    "teams": {"team-shop": {"page": ["x"], "ticket": ["team"]}},
                }
            },
            r"routes\.teams\.team-shop\.page: there is no channels\.x; name one of",
        ),
        (
            {"routes": {"page": ["on-call"], "ticket": ["team"], "teams": {"team-shop": {"page": ["on-call"]}}}},
            r"routes\.teams\.team-shop\.ticket",
        ),
        ({"routes": {"urgent": ["team"]}}, r"routes\.urgent.*page"),
        ({"routes": {"ticket": ["team"], "note": ["on-call"]}}, r"monitoring\.routes\.page: \d+ alerts .* add one"),
        ({"routes": {"page": ["team"], "ticket": ["team"]}}, r"channels\.on-call: no route uses it; add it to routes"),
        ({"alerts": {"volume-filing": {"minutes": 5}}}, r"alerts\.volume-filing: .*did you mean volume-filling"),
        ({"alerts": {"sql-cpu": {"severity": "urgent"}}}, r"severity.*page"),
        ({"alerts": {"sql-cpu": {"threshold": "80"}}}, r"alerts\.sql-cpu\.threshold: 80 has no unit; write it as 90%"),
        (
            {"alerts": {"sql-cpu": {"threshold": 80}}},
            r"threshold: must be text, .*; write a number with its unit, such as 85%$",
        ),
        ({"alerts": {"sql-cpu": {"threshold": "2s"}}}, "2s is not a number of %; write it as 90%"),
        ({"alerts": {"api-slow": {"threshold": "2%"}}}, "2% is not a number of s; write it as 1s"),
        ({"alerts": {"sql-down": {"threshold": "1"}}}, "about a state and has no limit; remove it"),
        ({"alerts": {"sql-cpu": {"minutes": 7}}}, r"minutes.*5"),
        (
            {"alerts": {"sql-cpu": {"disabled": "we know better", "minutes": 5}}},
            "disabled excludes the other keys; remove them",
        ),
        (
            {"budget": {"amount": 0}},
            r"budget\.amount: 0 is used up at once; write what the project may cost in a month",
        ),
        ({"budget": {"amount": -5}}, r"budget\.amount: -5 is used up at once"),
        ({"budget": {"amount": 5, "current": [], "forecast": []}}, "nothing notifies; add a percentage to current or"),
        (
            {"routes": {"page": ["team"], "ticket": ["on-call"]}, "budget": {"amount": 5}},
            r"budget: no channel of routes\.ticket is an e-mail address or a topic; add one",
        ),
        (
            {
                "channels": {"on-call": {"topic": "a"}, "team": {"topic": "b"}},
                "routes": {"page": ["team"], "ticket": ["on-call", "team"]},
                "budget": {"amount": 5},
            },
            r"budget: routes\.ticket has 0 e-mail addresses and 2 topics, .* at most 5 and one; use a mailing list",
        ),
        ({"alerts": {"audit-data": {"minutes": 5}}}, "about entries of logs; only severity and disabled"),
        ({"alerts": {"build-pods-fail": {"minutes": 5}}}, "no severity for it here; set severity, or remove this key"),
        ({"alerts": {"build-pods-fail": {"severity": "note"}}}, "the environment has no Jenkins, or remove this key"),
    ],
)
def test_a_mistake_is_named_with_its_fix(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse("production", text(PRODUCTION, **changes))


@pytest.mark.parametrize(
    "change",
    [
        {"volume-filling": {"threshold": "80.5%"}},
        {"container-restarts": {"threshold": "10 restarts", "minutes": 0}},
        {"api-slow": {"threshold": "2 s", "severity": "note"}},
        {"audit-network": {"disabled": "another team watches the network"}},
    ],
)
def test_an_alert_can_be_changed(change: dict[str, Any]) -> None:
    parse("production", text(PRODUCTION, alerts=change))


def test_editors_accept_the_threshold_of_every_alert() -> None:
    pattern = AlertSettings.model_json_schema()["properties"]["threshold"]["anyOf"][0]["pattern"]
    thresholds = [rule.threshold for rule in RULES.values() if rule.threshold.unit is not None]
    assert [threshold.words for threshold in thresholds if not re.search(pattern, threshold.words)] == []
    assert not re.search(pattern, "80")


def test_an_alert_without_its_metrics_cannot_be_tuned() -> None:
    wrong = text(STAGING, alerts={"volume-trend": {"severity": "note"}})
    with pytest.raises(ConfigError, match="volume-trend: the cluster does not send KUBELET; add it to cluster"):
        parse("staging", wrong)


def test_an_ephemeral_environment_has_no_alerts() -> None:
    settings = json.loads(text(STAGING))
    settings["environment"] = {
        "kind": "ephemeral",
        "owner": "me",
        "created_at": "2027-01-28T18:00:00Z",
        "expires_at": "2027-01-31T18:00:00Z",
    }
    settings["cluster"]["deletion_protection"] = False
    settings["databases"]["main"]["deletion_protection"] = False
    settings["encryption"] = {"covers": []}
    del settings["gateway"]
    with pytest.raises(ConfigError, match="monitoring is for long-lived environments"):
        parse("staging", json.dumps(settings))


@pytest.mark.parametrize("name", MOST_RESOURCES)
def test_the_stack_files_have_all_alerts_and_few_resources(name: str, recordings: dict[str, Recording]) -> None:
    config = read_all()[name]
    environment = monitored(config, f"atwork-{name}")
    assert environment is not None
    assert select(environment).left_out == ()
    without = run_stack(name, {"monitoring": None}).resources
    assert 0 < len(recordings[name].resources.keys() - without.keys()) <= MOST_RESOURCES[name]
    policies = [item.inputs for item in recordings[name].of_type(ALERT_POLICY).values()]
    assert all(len(policy["conditions"]) == 1 for policy in policies)
    assert {policy["severity"] for policy in policies} <= {*POLICY_SEVERITY.values()}
    for policy in policies:
        channels = policy["notificationChannels"]
        assert all(isinstance(channel, str) and channel for channel in channels), channels
        assert channels or policy["severity"] == "WARNING", policy["displayName"]
        assert policy["documentation"]["links"][0]["url"].endswith(f"/{policy['userLabels']['rule']}.md")


def test_only_an_environment_of_production_pages(recordings: dict[str, Recording]) -> None:
    paging = {
        name
        for name, recording in recordings.items()
        for item in recording.resources.values()
        if item.type == ALERT_POLICY and item.inputs["severity"] == "CRITICAL"
    }
    assert paging == {"production"}


def test_an_environment_that_is_alone_counts_as_production() -> None:
    alone = json.loads(text(PRODUCTION)) | {"upstream": None}
    environment = monitored(parse("production", json.dumps(alone)), "atwork-production")
    assert environment is not None
    assert environment.stage == "production"


@pytest.mark.parametrize(
    ("tier", "connections"),
    [
        ("db-f1-micro", 25),
        ("db-g1-small", 50),
        ("db-custom-1-3840", 100),
        ("db-custom-2-7680", 400),
        ("db-custom-4-16384", 500),
        ("db-custom-N4-8-30720", 600),
        ("db-n1-standard-1", 100),
        ("db-n1-highmem-2", 400),
        ("db-perf-optimized-N-8", 800),
        ("db-perf-optimized-N-128", 1000),
    ],
)
def test_connections_follow_from_the_memory(tier: str, connections: int) -> None:
    assert postgres_connections(tier) == connections


def test_a_flag_decides_about_connections() -> None:
    settings = json.loads(text(PRODUCTION))
    settings["databases"]["main"]["flags"] = {"max_connections": "333"}
    environment = monitored(parse("production", json.dumps(settings)), "atwork-production")
    assert environment is not None
    expressions = {active.rule.id: active.expression for active in select(environment).active}
    assert "/ 333 > 0.8" in expressions["sql-connections"]


@pytest.mark.parametrize("rule", LOG_RULES.values(), ids=LOG_RULES)
def test_a_filter_of_logs_is_about_this_cluster_or_leaves_out_who_is_expected(rule: Any) -> None:
    written = log_filter(rule, cluster="atwork-x", expected_actors=["deploy@acme.iam.gserviceaccount.com"])
    assert written.count("(") == written.count(")")
    assert written.count('"') % 2 == 0
    assert "$" not in written.replace('$"', "")
    if rule.change:
        assert written.endswith(
            'AND NOT protoPayload.authenticationInfo.principalEmail="deploy@acme.iam.gserviceaccount.com"'
        )
        assert 'principalEmail=~"^service-[0-9]+@"' in written
    else:
        assert 'resource.labels.cluster_name="atwork-x"' in written


UPTIME = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"


def test_every_host_is_checked_where_it_is_declared(recordings: dict[str, Recording]) -> None:
    checked = {
        name: {
            key: item.inputs["monitoredResource"]["labels"]["host"] for key, item in recording.of_type(UPTIME).items()
        }
        for name, recording in recordings.items()
    }
    assert checked == {
        "ci": {"jenkins-uptime": "jenkins.ci.example.com"},
        "staging": {"service-orders-uptime": "orders.staging.example.com"},
        "production": {"service-orders-uptime": "orders.example.com"},
    }


def test_a_public_host_must_work_and_another_one_must_ask_for_a_login(recordings: dict[str, Recording]) -> None:
    checks = {name: next(iter(recordings[name].of_type(UPTIME).values())).inputs["httpCheck"] for name in STAGES}
    assert checks["production"]["acceptedResponseStatusCodes"] == [{"statusClass": "STATUS_CLASS_2XX"}]
    assert (checks["production"]["path"], "headers" in checks["production"]) == ("/healthz", False)
    for name in ("staging", "ci"):
        assert checks[name]["acceptedResponseStatusCodes"] == [{"statusValue": 401}]
        assert checks[name]["headers"] == {"X-Requested-With": "XMLHttpRequest"}
    assert all(check["useSsl"] and check["validateSsl"] for check in checks.values())


def test_the_alerts_about_hosts_look_at_those_of_the_environment() -> None:
    expressions = {
        name: {active.rule.id: active.expression for active in select(environment).active}
        for name in STAGES
        if (environment := monitored(read_all()[name], f"atwork-{name}")) is not None
    }
    assert 'host=~"([^.]+[.])?(ci[.]example[.]com)"' in expressions["ci"]["uptime-fails"]
    elsewhere = json.loads(read_file(STACKS / "Pulumi.ci.yaml") or "")
    del elsewhere["gateway"]
    elsewhere["jenkins"] |= {"hostname": "ci.acme.dev", "gateway": {"name": "shared", "namespace": "infra"}}
    environment = monitored(parse("ci", json.dumps(elsewhere)), "atwork-ci")
    assert environment is not None
    assert (
        'host=~"([^.]+[.])?(ci[.]acme[.]dev)"'
        in {item.rule.id: item for item in select(environment).active}["certificate-ends"].expression
    )


def test_without_a_way_in_nothing_is_checked() -> None:
    closed = json.loads(read_file(STACKS / "Pulumi.ci.yaml") or "")
    del closed["gateway"], closed["jenkins"]["gateway"]
    environment = monitored(parse("ci", json.dumps(closed)), "atwork-ci")
    assert environment is not None
    reasons = {item.rule.id: item.reason for item in select(environment).left_out}
    missing = "the environment has no host that the internet reaches"
    assert reasons == dict.fromkeys(("uptime-fails", "certificate-ends"), missing)


BUDGET = "gcp:billing/budget:Budget"


def test_a_budget_is_about_one_project_and_is_heard(recordings: dict[str, Recording]) -> None:
    item = recordings["production"].resource(BUDGET, "project-budget")
    budget = item.inputs
    assert budget["billingAccount"] == "01AB23-CD45EF-678901"
    assert budget["amount"] == {"specifiedAmount": {"units": "6000"}}, "in the currency of the account"
    assert budget["budgetFilter"]["projects"] == ["projects/165820394477"]
    assert budget["ownershipScope"] == "ALL_USERS", "or only those with a role on the billing account change it"
    assert budget["allUpdatesRule"]["monitoringNotificationChannels"] == ["alerts-channel-team-id"]
    assert {(rule["thresholdPercent"], rule["spendBasis"]) for rule in budget["thresholdRules"]} == {
        (0.5, "CURRENT_SPEND"),
        (0.9, "CURRENT_SPEND"),
        (1, "CURRENT_SPEND"),
        (1, "FORECASTED_SPEND"),
    }
    provider = recordings["production"].resource("pulumi:providers:gcp", "gcp-billing").inputs
    assert (provider["billingProject"], provider["userProjectOverride"]) == ("acme-at-work-production", "true")
    assert "::gcp-billing::" in item.provider


def test_a_budget_notifies_the_topic_of_tickets() -> None:
    channels = {
        "events": {"topic": "alerts"},
        "team": {"existing": "projects/acme-at-work-production/notificationChannels/1"},
    }
    routes = {"page": ["team"], "ticket": ["events"]}
    settings = json.loads(text(PRODUCTION, channels=channels, routes=routes))["monitoring"]
    budget = run_stack("production", {"monitoring": settings}).resource(BUDGET, "project-budget").inputs
    topic = "projects/acme-at-work-production/topics/alerts"
    assert budget["allUpdatesRule"] == {"schemaVersion": "1.0", "pubsubTopic": topic}


def windows(maintenance: dict[str, Any], **database: Any) -> tuple[Window | None, Window | None, Window | None]:
    """The windows of nodes, of the control plane and of the database with other settings."""
    settings = copy.deepcopy(PRODUCTION)
    settings["cluster"]["maintenance"] = maintenance
    settings["databases"]["main"] |= database
    environment = monitored(parse("production", json.dumps(settings)), "atwork-production")
    assert environment is not None
    [main] = environment.scope.databases
    return environment.scope.nodes, environment.scope.control_plane, main.maintenance


def test_alerts_know_the_maintenance_windows_of_the_stack_file() -> None:
    freezes = {
        "all": {"start": "2026-12-14T00:00:00Z", "end": "2026-12-20T00:00:00Z", "scope": "NO_UPGRADES"},
        "nodes": {"start": "2027-01-01T00:00:00+01:00", "end": "2027-01-06T00:00:00Z"},
        "minor": {"start": "2027-02-01T00:00:00Z", "end": "2027-02-06T00:00:00Z", "scope": "NO_MINOR_UPGRADES"},
    }
    nodes, control_plane, database = windows(
        {"days": ["SA", "SU", "MO"], "start": "22:30", "hours": 8, "freezes": freezes},
        maintenance_day=7,
        maintenance_hour=23,
        freeze={"start": "12-14", "end": "1-6"},
    )
    for_all = Span(datetime(2026, 12, 14, tzinfo=UTC), datetime(2026, 12, 20, tzinfo=UTC))
    for_nodes = Span(datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 6, tzinfo=UTC))
    opens = 22 * 3600 + 30 * 60
    assert nodes == Window((6, 0, 1), opens, hours=8, freezes=(for_all, for_nodes))
    assert control_plane == Window((6, 0, 1), opens, hours=8, freezes=(for_all,))
    assert database == Window((0,), 23 * 3600, hours=1, freezes=(YearlySpan((12, 14), (1, 6)),))


def test_a_freeze_of_one_year_includes_its_last_day() -> None:
    *_, database = windows({}, freeze={"start": "2026-12-14", "end": "2027-01-06"}, maintenance_day=1)
    span = Span(datetime(2026, 12, 14, tzinfo=UTC), datetime(2027, 1, 7, tzinfo=UTC))
    assert database == Window((1,), 3 * 3600, hours=1, freezes=(span,))


def test_a_window_that_never_closes_mutes_nothing() -> None:
    nodes, control_plane, _ = windows({"hours": 24})
    assert nodes is None
    assert control_plane is None
    almost, _, _ = windows({"days": ["MO", "TU", "WE", "TH", "FR", "SA"], "hours": 24})
    assert almost is not None
