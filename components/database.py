"""A Cloud SQL instance of PostgreSQL or MySQL: private, encrypted, without passwords.

Owns: the instance, its databases, the service accounts that log in by IAM and their database users.
Does not own: the network's service connection policy (wiring), tables and roles inside a database.

Traps:
- The name is auto-made: Cloud SQL keeps a deleted instance's name for a week.
- There are three deletion guards, the engine's, the provider's and the server's; one setting turns them all. Only
  the engine's is met before the databases and users are gone.
- The key is chosen when the instance is made; another one replaces the instance with its databases and users.
- An unset edition means Enterprise Plus from PostgreSQL 16 and MySQL 8.4 on, at many times the price.
- MySQL creates a user `root` without a password; the provider deletes it with the creation of the instance.
- Names of logins differ between the engines (database_engine.py); roles that own objects block the deletion
  of a user, so users and databases are left to the instance's own deletion. The engine leaves them (`retain_on_delete`)
  and not the provider (`deletion_policy`), which an import resets: what returns to the program is adopted without a
  difference (docs/adr/0015-left-behind.md).
- `log_connections` is a list from PostgreSQL 18 on, where `on` stays valid (database_flags.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import pulumi
import pulumi_gcp as gcp
from pydantic import Field, field_validator, model_validator

from components.database_backups import BackupSettings, YearlyFreezeSettings
from components.database_engine import DatabaseVersion, engine_of, fixed_flags, lists_connection_aspects
from components.database_flags import logs_connections
from components.database_instance import instance_settings
from components.database_login import DatabaseUserSettings, login_account_id, workload_login
from components.forms import TextForm
from components.google import sql, sql_flags
from components.google.sql import SqlDiskType
from components.network_refs import NetworkRefs
from components.settings import DatabaseName, Email, Region, Settings

LoginName = Annotated[
    str,
    TextForm(
        r"^[a-z][-a-z0-9]{0,17}[a-z0-9]$",
        "a name of 2 to 19 lower-case letters, digits and hyphens, a letter first",
        "orders",
    ),
]
"""Key of a login in an instance."""


class DatabaseSettings(Settings):
    """One instance and what is in it."""

    version: DatabaseVersion = "POSTGRES_18"
    """Engine and major version; raising it upgrades in place, with downtime."""

    edition: Literal["ENTERPRISE", "ENTERPRISE_PLUS"] = "ENTERPRISE"
    """Edition, always stated."""

    tier: Annotated[str, TextForm(r"^db-[A-Za-z0-9-]+$", "a Cloud SQL tier", "db-custom-2-8192")]
    """Machine of the instance: db-custom-CPUS-MB or db-custom-N4-CPUS-MB with edition ENTERPRISE, and
    db-perf-optimized-N-CPUS, db-memory-optimized-N-CPUS or db-c4a-highmem-CPUS with ENTERPRISE_PLUS."""

    disk_type: SqlDiskType | None = None
    """Kind of disk; what the machine takes where it is left out: PD_SSD, or HYPERDISK_BALANCED with N4 and C4A."""

    disk_size_gb: Annotated[int, Field(ge=10, le=65536)] = 20
    """Size to begin with, GB; it grows by itself."""

    disk_limit_gb: Annotated[int, Field(ge=10, le=65536)] = 500
    """Where it stops growing, GB."""

    high_availability: bool = True
    """A standby in another zone."""

    deletion_protection: bool = True
    """All deletion guards: the engine's, the provider's and the server's."""

    backups: BackupSettings = BackupSettings()
    """Backups and recovery."""

    maintenance_day: Annotated[int, Field(ge=1, le=7)] = 7
    """Day of the week, Monday is 1."""

    maintenance_hour: Annotated[int, Field(ge=0, le=23)] = 3
    """Hour of the day (UTC)."""

    update_track: Literal["canary", "stable", "week5"] = "week5"
    """How early maintenance arrives: one, two or five weeks after the notice."""

    freeze: YearlyFreezeSettings | None = None
    """A yearly span without maintenance."""

    flags: dict[str, str] = Field(default_factory=dict)
    """Database flags beyond the audit flags that every instance has; from PostgreSQL 18 on log_connections may log more
    than `on` does: a list with receipt, authentication and authorization, or all."""

    databases: tuple[DatabaseName, ...] = ()
    """Names of the databases, in addition to those of services/*.yaml."""

    users: dict[LoginName, DatabaseUserSettings] = Field(default_factory=dict)
    """Workloads that log in by IAM, by a short name that no other instance of the environment uses."""

    groups: tuple[Email, ...] = ()
    """Google Groups whose members may log in by IAM."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        fixed = sorted(
            name for name in self.flags.keys() & fixed_flags(self.version).keys() if not self._logs_connections(name)
        )
        if fixed:
            raise ValueError(f"flags {', '.join(fixed)} are set for every instance (CIS); remove them")
        if self.disk_size_gb > self.disk_limit_gb:
            raise ValueError(f"disk_size_gb {self.disk_size_gb} is above disk_limit_gb {self.disk_limit_gb}")
        if (days := self.backups.point_in_time_days) > (most := sql.log_days(self.edition)):
            raise ValueError(
                f"backups.point_in_time_days {days} is above the {most} of {self.edition}; "
                f"lower it, or choose ENTERPRISE_PLUS, which keeps {sql.log_days('ENTERPRISE_PLUS')}"
            )
        if self.engine == "MYSQL" and self.high_availability and days == 0:
            # https://cloud.google.com/sql/docs/mysql/high-availability
            raise ValueError(
                "high_availability of MySQL needs binary logs: set backups.point_in_time_days to 1 or more, or "
                "high_availability to false"
            )
        return self

    @field_validator("tier")
    @classmethod
    def _tier_exists(cls, tier: str) -> str:
        sql.family_of(tier)
        return tier

    @model_validator(mode="after")
    def _machine_fits(self) -> Self:
        family = sql.family_of(self.tier)
        if family is None:
            return self
        if family.edition != self.edition:
            raise ValueError(
                f"tier {self.tier} does not belong to edition {self.edition}; set edition: {family.edition}"
            )
        if self.engine not in family.engines:
            raise ValueError(
                f"tier {self.tier} is of MySQL; write one such as db-custom-1-3840 or db-perf-optimized-N-2"
            )
        if self.storage not in family.disks:
            raise ValueError(
                f"disk_type {self.storage}: {self.tier} has {' or '.join(family.disks)}; write one of them"
            )
        if self.disk_size_gb < (least := sql.smallest_disk(self.storage)):
            raise ValueError(f"disk_size_gb {self.disk_size_gb} is below {least}, the smallest disk of {self.storage}")
        return self

    @model_validator(mode="after")
    def _flags_exist(self) -> Self:
        for flag, value in self.flags.items():
            if mistake := sql_flags.mistake(self.version, flag, value):
                raise ValueError(f"flags: {mistake}")
        return self

    @model_validator(mode="after")
    def _groups_differ(self) -> Self:
        names = [group.partition("@")[0] for group in self.groups]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"groups: two begin with {name}@, which is what tells logins apart; remove one")
        return self

    @model_validator(mode="after")
    def _databases_are_new(self) -> Self:
        for database in self.databases:
            if database in sql.system_databases(self.engine):
                raise ValueError(f"databases: every instance has {database} from the start; choose another name")
        return self

    @property
    def engine(self) -> sql.Engine:
        """The database engine of the version."""
        return engine_of(self.version)

    @property
    def storage(self) -> SqlDiskType:
        """The kind of disk, stated or the usual one of the machine: machines newer than the list have Hyperdisk."""
        family = sql.family_of(self.tier)
        return self.disk_type or (family.disks[0] if family is not None else "HYPERDISK_BALANCED")

    def _logs_connections(self, name: str) -> bool:
        """Whether a flag is `log_connections` of a version that takes a list, with at least what `on` logs."""
        return (
            name == "log_connections" and lists_connection_aspects(self.version) and logs_connections(self.flags[name])
        )


class Database(pulumi.ComponentResource):
    """A private instance, its databases, and logins by IAM alone."""

    instance_name: pulumi.Output[str]
    connection_name: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    accounts: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: DatabaseSettings,
        *,
        region: Region,
        project_id: pulumi.Input[str],
        network: NetworkRefs,
        workload_pool: pulumi.Input[str],
        encryption_key: pulumi.Input[str] | None,
        labels: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:database:Database", name, {}, opts)
        instance = gcp.sql.DatabaseInstance(
            f"{name}-instance",
            database_version=settings.version,
            region=region,
            encryption_key_name=encryption_key,
            deletion_protection=settings.deletion_protection,
            settings=instance_settings(settings, project_id, network, labels),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=network.database_access, protect=settings.deletion_protection
            ),
        )
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        for database in settings.databases:
            gcp.sql.Database(
                f"{name}-{database}",
                name=database,
                instance=instance.name,
                opts=kept,
            )
        self.accounts = {
            key: workload_login(
                f"{name}-{key}",
                login_account_id(key),
                user,
                instance=instance.name,
                version=settings.version,
                project_id=project_id,
                workload_pool=workload_pool,
                parent=self,
            )
            for key, user in settings.users.items()
        }
        for group in settings.groups:
            gcp.sql.User(
                f"{name}-group-{group.partition('@')[0]}",
                name=group,
                type="CLOUD_IAM_GROUP",
                instance=instance.name,
                opts=kept,
            )
        self.instance_name = instance.name
        self.connection_name, self.dns_name = instance.connection_name, instance.dns_name
        self.register_outputs(
            {"connection_name": self.connection_name, "dns_name": self.dns_name, "accounts": self.accounts}
        )
