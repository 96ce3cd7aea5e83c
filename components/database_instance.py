"""The `settings` block of a Cloud SQL instance, computed from its settings in the stack file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp as gcp

from components.database_backups import backup_configuration, freeze_day
from components.database_engine import DatabaseVersion, fixed_flags

if TYPE_CHECKING:
    from components.database_settings import DatabaseSettings
    from components.network_refs import NetworkRefs


INSIGHTS: gcp.sql.DatabaseInstanceSettingsInsightsConfigArgsDict = {
    "query_insights_enabled": True,
    "query_string_length": 1024,
    "record_application_tags": True,
    "record_client_address": False,
}
"""Query insights of every instance."""


def connection(
    project_id: pulumi.Input[str], network: NetworkRefs, *, endpoint: bool = True
) -> gcp.sql.DatabaseInstanceSettingsIpConfigurationArgsDict:
    """The `ip_configuration` of a private instance; with `endpoint`, one in the network is created with it."""
    psc: gcp.sql.DatabaseInstanceSettingsIpConfigurationPscConfigArgsDict = {
        "psc_enabled": True,
        # The endpoint of a Shared VPC is in its network, on behalf of this project.
        "allowed_consumer_projects": [project_id, *([network.owner] if network.owner else [])],
    }
    if endpoint:
        psc["psc_auto_dns_enabled"] = True
        psc["psc_auto_connections"] = [
            {"consumer_network": network.network_id, "consumer_service_project_id": project_id}
        ]
    return {
        "ipv4_enabled": False,
        # With connectors, the certificate is the connector's own and short-lived.
        "ssl_mode": "TRUSTED_CLIENT_CERTIFICATE_REQUIRED",
        "server_ca_mode": "GOOGLE_MANAGED_CAS_CA",
        "server_certificate_rotation_mode": "AUTOMATIC_ROTATION_DURING_MAINTENANCE",
        "psc_configs": [psc],
    }


def database_flags(
    version: DatabaseVersion, flags: Mapping[str, str]
) -> list[gcp.sql.DatabaseInstanceSettingsDatabaseFlagArgsDict]:
    """The flags of an instance with the audit flags that every instance has."""
    return [{"name": name, "value": value} for name, value in sorted({**fixed_flags(version), **flags}.items())]


def instance_settings(
    settings: DatabaseSettings,
    project_id: pulumi.Input[str],
    network: NetworkRefs,
    labels: Mapping[str, str],
) -> gcp.sql.DatabaseInstanceSettingsArgsDict:
    """The `settings` of a private instance that is reached through connectors, alone if it has no replicas."""
    configuration: gcp.sql.DatabaseInstanceSettingsArgsDict = {
        "tier": settings.tier,
        "edition": settings.edition,
        "availability_type": "REGIONAL" if settings.high_availability else "ZONAL",
        "disk_type": settings.storage,
        "disk_size": settings.disk_size_gb,
        "disk_autoresize": True,
        "disk_autoresize_limit": settings.disk_limit_gb,
        "deletion_protection_enabled": settings.deletion_protection,
        "retain_backups_on_delete": settings.backups.keep_after_deletion,
        "connector_enforcement": "NOT_REQUIRED" if settings.replicas else "REQUIRED",  # see database_replicas.py
        "user_labels": dict(labels),
        "ip_configuration": connection(project_id, network),
        "backup_configuration": backup_configuration(settings.backups, settings.engine),
        "maintenance_window": {
            "day": settings.maintenance_day,
            "hour": settings.maintenance_hour,
            "update_track": settings.update_track,
        },
        "insights_config": INSIGHTS,
        # No one has a password; this guards the one that a break-glass user would get.
        "password_validation_policy": {
            "enable_password_policy": True,
            "min_length": 16,
            "complexity": "COMPLEXITY_DEFAULT",
            "disallow_username_substring": True,
            "reuse_interval": 5,
        },
        "database_flags": database_flags(settings.version, settings.flags),
    }
    if settings.backups.keep_after_deletion:
        configuration["final_backup_config"] = {"enabled": True, "retention_days": settings.backups.retained}
    if settings.freeze is not None:
        configuration["deny_maintenance_period"] = {
            "start_date": freeze_day(settings.freeze.start),
            "end_date": freeze_day(settings.freeze.end),
            "time": "00:00:00",
        }
    return configuration
