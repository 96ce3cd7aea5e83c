"""Backups of what is inside a cluster: its objects and its volumes, kept in another region.

Owns: the plan of Backup for GKE. Does not own: the agent in the cluster (components/cluster.py switches it on), Cloud
SQL's backups (components/database.py), restores, which are run by hand (a restore drill proves a backup).

Traps: a plan that holds backups cannot be deleted, and a locked backup not even by its owner before the lock ends:
an environment with a lock is destroyed in two steps, days apart. The plan's place and cluster never change.
"""

from __future__ import annotations

from typing import Annotated, Self

import pulumi
import pulumi_gcp as gcp
from pydantic import Field, model_validator

from components.settings import Region, Settings

SERVICES = ("gkebackup.googleapis.com",)
"""APIs that this component calls."""


class ClusterBackupSettings(Settings):
    """Automatic backups of everything in the cluster."""

    location: Region
    """Region where backups rest; one that is not the cluster's survives the loss of it."""

    target_rpo_minutes: Annotated[int, Field(ge=60, le=86400)] = 240
    """Most that may be lost, minutes; Google spreads the backups to keep it."""

    retain_days: Annotated[int, Field(ge=1, le=365)] = 30
    """How long a backup is kept."""

    lock_days: Annotated[int, Field(ge=0, le=90)] = 7
    """How long nobody can delete a backup."""

    include_secrets: bool = True
    """Whether Kubernetes Secrets are in it."""

    @model_validator(mode="after")
    def _kept_longer_than_locked(self) -> Self:
        if self.lock_days > self.retain_days:
            raise ValueError(
                f"lock_days {self.lock_days} is above retain_days {self.retain_days}; a locked backup cannot be let go"
            )
        if self.target_rpo_minutes > self.retain_days * 24 * 60:
            raise ValueError(
                f"target_rpo_minutes {self.target_rpo_minutes} is longer than retain_days {self.retain_days}; "
                "there would be times without any backup"
            )
        return self


class ClusterBackup(pulumi.ComponentResource):
    """The plan by which a cluster is backed up."""

    plan: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: ClusterBackupSettings,
        *,
        physical_name: str,
        cluster_id: pulumi.Input[str],
        encryption_key: pulumi.Input[str] | None,
        labels: dict[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:cluster_backup:ClusterBackup", name, {}, opts)
        config: gcp.gkebackup.BackupPlanBackupConfigArgsDict = {
            "all_namespaces": True,
            "include_volume_data": True,
            "include_secrets": settings.include_secrets,
        }
        if encryption_key is not None:
            config["encryption_key"] = {"gcp_kms_encryption_key": encryption_key}
        plan = gcp.gkebackup.BackupPlan(
            f"{name}-plan",
            name=physical_name,
            location=settings.location,
            cluster=cluster_id,
            description=f"All of {physical_name}, volumes and secrets included",
            backup_config=config,
            backup_schedule={"rpo_config": {"target_rpo_minutes": settings.target_rpo_minutes}},
            retention_policy={
                "backup_delete_lock_days": settings.lock_days,
                "backup_retain_days": settings.retain_days,
            },
            labels=labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.plan = plan.id
        self.register_outputs({"plan": self.plan})
