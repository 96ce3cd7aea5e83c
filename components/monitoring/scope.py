"""What the rules of an environment look at: its cluster, its databases, its NAT gateway. Plain data.

Every selector names what belongs to the environment: its project can hold other clusters, databases and gateways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from components.monitoring.windows import Window

_OTHERS = "preview-.*|jenkins-.+"
"""Namespaces of pull requests and of builds, where pods fail all day and their authors see it."""

VARIABLE = "Namespace"
"""The variable of dashboards by which their readers choose a namespace; alerts have none."""


@dataclass(frozen=True)
class MonitoredDatabase:
    """A Cloud SQL instance."""

    name: str
    """Name of the instance in its project."""
    disk_limit_bytes: int
    """Where its disk stops growing."""
    connections: int | None
    """How many connections it takes; None for an engine other than PostgreSQL."""
    standby: bool
    """Whether it has a standby in another zone."""
    maintenance: Window | None = None
    """When Cloud SQL may update it."""


@dataclass(frozen=True)
class Scope:
    """The resources of one environment."""

    project: str
    cluster: str
    gateway: str | None = None
    """Name of the NAT gateway; None in a network of somebody else."""
    databases: tuple[MonitoredDatabase, ...] = ()
    domains: tuple[str, ...] = ()
    """Domains of the hosts of the environment: these names, and those one label below."""
    builds: bool = False
    """Whether Jenkins builds in the cluster."""
    team: str | None = None
    """Only services of this team; None for all teams without channels of their own."""
    teams: tuple[str, ...] = ()
    """Teams with channels of their own."""
    nodes: Window | None = None
    """When GKE may update the nodes."""
    control_plane: Window | None = None
    """When GKE may update the control plane."""

    def selectors(self) -> Mapping[str, str]:
        """Label matchers by the name that rules use; those of parts that are missing are missing."""
        managed, system = f'cluster="{self.cluster}"', f'cluster_name="{self.cluster}"'
        selectors = {
            "cluster": managed,
            "objectives": f"{managed}{self._team()}",
            "workloads": f'{managed},namespace!~"{_OTHERS}"',
            "services": f'{managed},namespace!~"{_OTHERS}",${{{VARIABLE}}}',
            "containers": f'monitored_resource="k8s_container",{system},namespace_name!~"{_OTHERS}"',
            "pods": f'monitored_resource="k8s_pod",{system},namespace_name!~"{_OTHERS}"',
            "nodes": f'monitored_resource="k8s_node",{system}',
            "quotas": f'monitored_resource="consumer_quota",project_id="{self.project}"',
        }
        if self.builds:
            selectors["builds"] = f'{managed},namespace=~"jenkins-.+"'
            selectors["agents"] = f'{managed},namespace="jenkins-agents"'
            selectors["jenkins"] = f'{managed},namespace="jenkins"'
        if self.domains:
            names = "|".join(domain.replace(".", "[.]") for domain in self.domains)
            selectors["hosts"] = f'monitored_resource="uptime_url",host=~"([^.]+[.])?({names})"'
        if self.gateway is not None:
            selectors["gateway"] = f'monitored_resource="nat_gateway",gateway_name="{self.gateway}"'
        if self.databases:
            selectors["databases"] = self._instances(self.databases)
        if postgres := self.postgres():
            selectors["postgres"] = self._instances(postgres)
        if standby := tuple(database for database in self.databases if database.standby):
            selectors["standby"] = self._instances(standby)
        return selectors

    def _team(self) -> str:
        if self.team is not None:
            return f',team="{self.team}"'
        return f',team!~"{"|".join(self.teams)}"' if self.teams else ""

    def maintained_in(self, window: Window | None) -> Scope:
        """The scope with the databases of one maintenance window."""
        databases = tuple(database for database in self.databases if database.maintenance == window)
        return replace(self, databases=databases)

    def postgres(self) -> tuple[MonitoredDatabase, ...]:
        """The databases whose connections are counted."""
        return tuple(database for database in self.databases if database.connections is not None)

    def of_database(self, database: MonitoredDatabase) -> Mapping[str, str]:
        """What a rule with a limit for each database reads of one."""
        return {
            "database": self._instances((database,)),
            "disk_limit_bytes": str(database.disk_limit_bytes),
            **({} if database.connections is None else {"connections": str(database.connections)}),
        }

    def _instances(self, databases: tuple[MonitoredDatabase, ...]) -> str:
        names = "|".join(f"{self.project}:{database.name}" for database in databases)
        return f'monitored_resource="cloudsql_database",database_id=~"{names}"'


PARTS: Mapping[str, str] = {
    "agents": "Jenkins",
    "builds": "Jenkins",
    "connections": "a database of PostgreSQL",
    "database": "a database",
    "databases": "a database",
    "disk_limit_bytes": "a database",
    "gateway": "a NAT gateway of its own",
    "hosts": "a host that the internet reaches",
    "jenkins": "Jenkins",
    "postgres": "a database of PostgreSQL",
    "standby": "a database with a standby",
}
"""What an environment lacks where a selector is missing."""
