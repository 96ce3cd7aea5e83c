"""What the alerts of an environment look at, from its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from components.cluster_monitoring import metric_packages
from components.google.sql import postgres_connections
from components.maintenance import WEEKDAYS
from components.monitoring.rule import STAGES, Severity, Stage
from components.monitoring.scope import MonitoredDatabase, Scope
from components.monitoring.selection import MonitoredEnvironment, active_logs, has_severity, select
from components.monitoring.windows import Span, Window, YearlySpan
from infra import promotion

if TYPE_CHECKING:
    from components.database_backups import YearlyFreezeSettings
    from components.database_settings import DatabaseSettings
    from components.maintenance import MaintenanceSettings
    from components.monitoring.settings import MonitoringSettings
    from infra.stack import StackConfig


def scope(config: StackConfig, cluster: str, instances: Mapping[str, str]) -> Scope:
    """The resources that alerts are about; `instances` has the names of the databases by their key."""
    return Scope(
        project=config.project.id,
        cluster=cluster,
        gateway=cluster if config.network.existing is None else None,
        databases=tuple(_database(instances[key], settings) for key, settings in config.databases.items()),
        domains=tuple(_domains(config)),
        builds=config.jenkins is not None,
        teams=() if config.monitoring is None else tuple(config.monitoring.routes.teams),
        nodes=_window(config.cluster.maintenance, "NO_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"),
        control_plane=_window(config.cluster.maintenance, "NO_UPGRADES"),
    )


def _window(settings: MaintenanceSettings, *scopes: str) -> Window | None:
    """When GKE may update a part of the cluster; freezes of other scopes leave it open. None for always."""
    if settings.hours == 24 and set(settings.days) == set(WEEKDAYS):
        return None
    hours, minutes = map(int, settings.start.split(":"))
    return Window(
        tuple((WEEKDAYS.index(day) + 1) % len(WEEKDAYS) for day in settings.days),
        opens=(hours * 60 + minutes) * 60,
        hours=settings.hours,
        freezes=tuple(Span(freeze.start, freeze.end) for freeze in settings.freezes.values() if freeze.scope in scopes),
    )


def _domains(config: StackConfig) -> Iterator[str]:
    """Domains of hosts that Google reaches; it asks from the internet, and not behind an internal gateway."""
    gateway = config.gateway if config.gateway is not None and config.gateway.internal is None else None
    if gateway is not None:
        yield gateway.domain
    if (host := jenkins_host(config)) is not None and (gateway is None or gateway.mistake(host)):
        yield host


def jenkins_host(config: StackConfig) -> str | None:
    """The host by which the internet reaches Jenkins; None where no external gateway leads to it."""
    return None if config.jenkins is None or config.jenkins.called is None else config.jenkins.hostname


def _database(name: str, settings: DatabaseSettings) -> MonitoredDatabase:
    flag = settings.flags.get("max_connections")
    connections = int(flag) if flag is not None else postgres_connections(settings.tier)
    return MonitoredDatabase(
        name,
        disk_limit_bytes=settings.disk_limit_gb * 1024**3,
        connections=connections if settings.engine == "POSTGRES" else None,
        standby=settings.high_availability,
        maintenance=Window(
            (settings.maintenance_day % len(WEEKDAYS),),
            opens=settings.maintenance_hour * 3600,
            hours=1,  # https://cloud.google.com/sql/docs/postgres/maintenance
            freezes=() if settings.freeze is None else (_freeze(settings.freeze),),
        ),
    )


def _freeze(settings: YearlyFreezeSettings) -> Span | YearlySpan:
    """A span without maintenance of a database, its last day included."""
    start, end = (tuple(map(int, day.split("-"))) for day in (settings.start, settings.end))
    if len(start) == len(end) == len(("month", "day")):
        return YearlySpan((start[0], start[1]), (end[0], end[1]))
    first, last = (datetime(day[0], day[1], day[2], tzinfo=UTC) for day in (start, end))
    return Span(first, last + timedelta(days=1))


def monitored(config: StackConfig, cluster: str) -> MonitoredEnvironment | None:
    """The environment as the catalog sees it, with the keys of its databases as their names; None without alerts."""
    if config.monitoring is None:
        return None
    of_stages: Mapping[str, Stage] = {known: known for known in STAGES}
    # An environment that reads no other and builds nothing is the only one of its company.
    builds = config.delivery_key is not None or config.registry is not None
    here = promotion.Stage.PRODUCTION if config.upstream is None and not builds else promotion.stage(config)
    return MonitoredEnvironment(
        of_stages[here],
        metric_packages(config.cluster.control_plane_metrics),
        scope(config, cluster, {key: key for key in config.databases}),
        config.monitoring.adjustments(),
    )


def mistakes(config: StackConfig) -> Iterator[str]:
    """What is wrong in `monitoring` for this environment."""
    if config.monitoring is None:
        return
    if config.environment.kind == "ephemeral":
        yield "monitoring is for long-lived environments: nobody is on call for an ephemeral one; remove it"
        return
    environment = monitored(config, cluster="")
    if environment is not None:
        yield from _changes(config.monitoring, environment)
        yield from _unheard(config.monitoring, environment)


def _changes(settings: MonitoringSettings, environment: MonitoredEnvironment) -> Iterator[str]:
    """Changes of alerts that the environment does not have."""
    selection = select(environment)
    missing = {item.rule.id: item.reason for item in selection.left_out}
    present = {active.rule.id for active in selection.active} | {rule.id for rule, _ in active_logs(environment)}
    for key, change in settings.alerts.items():
        if change.disabled is not None and key in present | missing.keys():
            continue
        if key in missing:
            yield f"monitoring.alerts.{key}: {missing[key]}, or remove this key"
        elif key not in present and (change.disabled is None or not has_severity(key, environment.stage)):
            yield f"monitoring.alerts.{key}: the catalog has no severity for it here; set severity, or remove this key"


def _unheard(settings: MonitoringSettings, environment: MonitoredEnvironment) -> Iterator[str]:
    """Severities of alerts that reach nobody."""
    urgent: list[Severity] = []
    urgent.extend(active.severity for active in select(environment).active)
    urgent.extend(severity for _, severity in active_logs(environment))
    needed: tuple[Severity, ...] = ("page", "ticket")
    for severity in needed:
        if severity in urgent and not settings.routes.channels(severity):
            yield (
                f"monitoring.routes.{severity}: {urgent.count(severity)} alerts of this environment need a channel; "
                "add one"
            )
