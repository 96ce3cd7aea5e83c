"""Who is notified of what in the environment."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.database import Database
from components.monitoring.alerts import Alerts
from components.monitoring.budget import budget
from components.monitoring.channels import AGENT
from components.monitoring.dashboard import dashboards
from components.monitoring.settings import MonitoringSettings
from components.monitoring.uptime import uptime_check
from infra import providers
from infra.environment import Environment
from infra.monitored import jenkins_host, monitored, scope
from infra.parts.foundation import Foundation


def make(here: Environment, base: Foundation, databases: Mapping[str, Database]) -> None:
    """Alerts and dashboards about everything in the project; nothing without the section `monitoring`."""
    config = here.config
    environment = monitored(config, here.physical_name)
    if config.monitoring is None or environment is None:
        return
    names = pulumi.Output.all(**{key: database.instance_name for key, database in databases.items()})
    known = names.apply(lambda instances: scope(config, here.physical_name, instances))
    alerts = Alerts(
        "alerts",
        config.monitoring,
        environment=environment,
        scope=known,
        runbooks=here.runbooks,
        agent=base.agents.members.get(AGENT),
        labels=here.labels,
        opts=base.google_options,
    )
    children = pulumi.ResourceOptions(parent=alerts, provider=base.google)
    dashboards(environment, scope=known, runbooks=here.runbooks, opts=children)
    if (host := jenkins_host(config)) is not None:
        uptime_check(
            "jenkins",
            host,
            project=config.project.id,
            path=None,
            labels=here.labels,
            opts=children,
        )
    _budget(here, config.monitoring, base, alerts)


def _budget(here: Environment, settings: MonitoringSettings, base: Foundation, alerts: Alerts) -> None:
    """What the project may cost."""
    if settings.budget is None:
        return
    project = here.config.project.id
    topics = [f"projects/{project}/topics/{settings.channels[key].topic}" for key in settings.tickets("topic")]
    budget(
        "project",
        settings.budget,
        display_name=here.physical_name,
        account=here.billing_account,
        project_number=base.project.number,
        channels=[alerts.channels[key] for key in settings.tickets("email")],
        topic=topics[0] if topics else None,
        opts=pulumi.ResourceOptions(
            # The topic must exist.
            provider=providers.google_billing(project, after=[base.project]),
            depends_on=[alerts],
        ),
    )
