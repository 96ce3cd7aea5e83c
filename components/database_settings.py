"""The settings of a Cloud SQL instance, and what contradicts itself or what Cloud SQL refuses in them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from components.database_backups import BackupSettings, YearlyFreezeSettings
from components.database_engine import DatabaseVersion, engine_of, fixed_flags, lists_connection_aspects
from components.database_flags import logs_connections
from components.database_login import DatabaseUserSettings
from components.database_replicas import MOST_REPLICAS, ReplicaName, ReplicaSettings, replica_mistakes
from components.forms import TextForm
from components.google import sql, sql_flags
from components.google.sql import SqlDiskType
from components.mysql_rights import LONGEST_GROUP
from components.settings import DatabaseName, Email, Settings

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

    replicas: Annotated[dict[ReplicaName, ReplicaSettings], Field(max_length=MOST_REPLICAS)] = Field(
        default_factory=dict
    )
    """Copies for reading, by name. With replicas, a client certificate is required in the place of a connector."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        fixed = sorted(
            name for name in self.flags.keys() & fixed_flags(self.version).keys() if not self._logs_connections(name)
        )
        if fixed:
            raise ValueError(f"flags {', '.join(fixed)} are set for every instance (CIS); remove them")
        long = [group for group in self.groups if len(group.partition("@")[0]) > LONGEST_GROUP]
        if long and self.engine == "MYSQL":
            raise ValueError(
                f"groups: {long[0]} has more than {LONGEST_GROUP} characters before the @, and accounts of MySQL "
                "have at most that; choose a group with a shorter address"
            )
        if self.disk_size_gb > self.disk_limit_gb:
            raise ValueError(f"disk_size_gb {self.disk_size_gb} is above disk_limit_gb {self.disk_limit_gb}; raise it")
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
            raise ValueError(
                f"disk_size_gb {self.disk_size_gb} is below {least}, the smallest disk of {self.storage}; raise it"
            )
        return self

    @model_validator(mode="after")
    def _replicas_follow(self) -> Self:
        for mistake in replica_mistakes(self):
            raise ValueError(mistake)
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
                raise ValueError(f"groups: two begin with {name}@, and logins are named after that part; remove one")
        return self

    @model_validator(mode="after")
    def _databases_are_new(self) -> Self:
        for database in self.databases:
            if database in sql.system_databases(self.engine):
                raise ValueError(f"databases: every instance has {database} from the start; choose another name")
        return self

    def replica_regions(self) -> tuple[str, ...]:
        """Regions that its replicas name."""
        return tuple(sorted({replica.region for replica in self.replicas.values() if replica.region is not None}))

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
