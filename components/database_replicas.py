"""Read replicas of a Cloud SQL instance: copies for reading, in the same region or in another one.

Owns: the replicas. Does not own: the primary instance (database.py), whose databases and users they have.

Traps:
- A replica has no backups, no maintenance window and no users of its own: Cloud SQL refuses these settings for it. It
  is maintained just before its primary.
- An instance with Private Service Connect has either replicas or connector enforcement. The primary and its replicas
  therefore do not require connectors; they still require a client certificate and an IAM login.
  https://cloud.google.com/sql/docs/postgres/connect-connectors#enforce
- A key of our own is inherited in the region of the primary, and must be one of the replica's region in others.
- Another primary replaces a replica (`master_instance_name`). Cloud SQL deletes no primary before its replicas.
- The endpoint of an instance is in its own region, where the network of the environment has no subnet for another
  region: a replica there is for the loss of a region, and is reached only after somebody has made an endpoint.
- PostgreSQL starts a replica only where some flags are not below the primary's; both have the primary's by default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import pulumi
import pulumi_gcp as gcp
from pydantic import Field

from components.database_engine import fixed_flags
from components.database_instance import INSIGHTS, connection, database_flags
from components.forms import TextForm
from components.google import sql, sql_flags
from components.settings import Region, Settings

if TYPE_CHECKING:
    from components.database_settings import DatabaseSettings
    from components.network_refs import NetworkRefs

MOST_REPLICAS = 10
"""https://cloud.google.com/sql/docs/quotas (read replicas of a primary)"""

NOT_BELOW_PRIMARY = (
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
)
"""Flags that may not be lower than the primary's.
https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN"""

ReplicaName = Annotated[
    str,
    TextForm(
        r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$",
        "a name of at most 20 lower-case letters, digits and hyphens, a letter first",
        "reports",
    ),
]
"""Key of a replica."""


class ReplicaSettings(Settings):
    """A read replica. It has the version, edition, disk limit and databases of its primary."""

    region: Region | None = None
    """Region; left out, that of the environment. A replica elsewhere has no endpoint in the environment's network."""

    tier: str | None = None
    """Machine; left out, that of the primary."""

    high_availability: bool = False
    """A standby of the replica in another zone."""

    flags: dict[str, str] = Field(default_factory=dict)
    """Database flags in addition to, or instead of, those of the primary."""


def replica_mistakes(database: DatabaseSettings) -> Iterator[str]:
    """Why an instance cannot have its replicas, with the fix."""
    if not database.replicas:
        return
    if database.backups.point_in_time_days == 0:
        yield "replicas: Cloud SQL makes them from the primary's logs; set backups.point_in_time_days to 1 or more"
    for key, replica in database.replicas.items():
        tier = replica.tier or database.tier
        family = sql.family_of(tier)
        if family is not None and (family.edition != database.edition or database.storage not in family.disks):
            yield (
                f"replicas.{key}.tier: {tier} has another edition or disk than the primary's {database.tier}; write a "
                "tier of the same kind, or remove it"
            )
        for flag, value in replica.flags.items():
            if mistake := sql_flags.mistake(database.version, flag, value):
                yield f"replicas.{key}.flags: {mistake}"
            if flag in fixed_flags(database.version):
                yield f"replicas.{key}.flags.{flag} is set for every instance (CIS); remove it"
        for flag in NOT_BELOW_PRIMARY:
            own, primary = replica.flags.get(flag, ""), database.flags.get(flag, "")
            if own.isdecimal() and primary.isdecimal() and int(own) < int(primary):
                yield (
                    f"replicas.{key}.flags.{flag}: {own} is below the primary's {primary}, and PostgreSQL would not "
                    f"start; write {primary} or more, or remove it"
                )


def replicas(
    name: str,
    settings: DatabaseSettings,
    *,
    primary: gcp.sql.DatabaseInstance,
    region: str,
    project_id: pulumi.Input[str],
    network: NetworkRefs,
    key_in: Mapping[str, pulumi.Input[str]],
    labels: Mapping[str, str],
    parent: pulumi.Resource,
) -> dict[str, pulumi.Output[str]]:
    """Create the replicas; connection names `PROJECT:REGION:INSTANCE` by key. `key_in` has a key for each other region.

    No deletion guard: a replica is a copy, and removing it from the stack file loses nothing.
    """
    names: dict[str, pulumi.Output[str]] = {}
    for key, replica in settings.replicas.items():
        place = replica.region or region
        instance = gcp.sql.DatabaseInstance(
            f"{name}-{key}-replica",
            database_version=settings.version,
            region=place,
            master_instance_name=primary.name,
            encryption_key_name=None if place == region else key_in.get(place),
            deletion_protection=False,
            settings={
                "tier": replica.tier or settings.tier,
                "edition": settings.edition,
                "availability_type": "REGIONAL" if replica.high_availability else "ZONAL",
                "disk_type": settings.storage,
                "disk_autoresize": True,  # from the size of the primary's disk, which may have grown
                "disk_autoresize_limit": settings.disk_limit_gb,
                "deletion_protection_enabled": False,
                "connector_enforcement": "NOT_REQUIRED",
                "user_labels": dict(labels),
                "ip_configuration": connection(project_id, network, endpoint=place == region),
                "insights_config": INSIGHTS,
                "database_flags": database_flags(settings.version, {**settings.flags, **replica.flags}),
            },
            opts=pulumi.ResourceOptions(parent=parent),
        )
        names[key] = instance.connection_name
    return names
