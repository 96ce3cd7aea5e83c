"""Who is notified of what in the environment."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.database import Database
from components.monitoring.alerts import Alerts
from components.monitoring.channels import AGENT
from components.monitoring.uptime import uptime_check
from infra.environment import Environment
from infra.monitored import jenkins_host, monitored, scope
from infra.parts.foundation import Foundation


def make(here: Environment, base: Foundation, databases: Mapping[str, Database]) -> None:
    """Alerts about everything in the project; nothing without the section `monitoring`."""
    config = here.config
    environment = monitored(config, here.physical_name)
    if config.monitoring is None or environment is None:
        return
    names = pulumi.Output.all(**{key: database.instance_name for key, database in databases.items()})
    alerts = Alerts(
        "alerts",
        config.monitoring,
        environment=environment,
        scope=names.apply(lambda instances: scope(config, here.physical_name, instances)),
        runbooks=here.runbooks,
        agent=base.agents.members.get(AGENT),
        labels=here.labels,
        opts=base.google_options,
    )
    if (host := jenkins_host(config)) is not None:
        uptime_check(
            "jenkins",
            host,
            project=config.project.id,
            path=None,
            labels=here.labels,
            opts=pulumi.ResourceOptions(parent=alerts, provider=base.google),
        )
