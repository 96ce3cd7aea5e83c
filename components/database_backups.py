"""Backups of a Cloud SQL instance, and the yearly span without maintenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from components.forms import TextForm
from components.settings import Settings, TimeOfDay

if TYPE_CHECKING:
    import pulumi_gcp as gcp


class BackupSettings(Settings):
    """Automatic backups and the logs to go back to any moment (CIS GCP 6.7)."""

    retained: Annotated[int, Field(ge=1, le=365)] = 30
    """Daily backups kept."""

    point_in_time_days: Annotated[int, Field(ge=0, le=35)] = 7
    """Days of transaction logs kept; 0 switches recovery to a moment off. Enterprise allows 7, Enterprise Plus 35."""

    start: TimeOfDay = "02:00"
    """When the daily backup starts (UTC)."""

    location: Annotated[str, TextForm(r"^[a-z]+(-[a-z]+[0-9]+)?$", "a multi-region or a region", "eu")] | None = None
    """Region or multi-region of the backups; another region survives the loss of the instance's."""

    keep_after_deletion: bool = True
    """Whether a last backup is taken at deletion, and the others are kept."""


class YearlyFreezeSettings(Settings):
    """Cloud SQL's one span a year without maintenance, 90 days at most."""

    start: Annotated[str, TextForm(r"^([0-9]{4}-)?[0-9]{1,2}-[0-9]{1,2}$", "a month and a day", "11-20")]
    """First day, month-day for every year."""

    end: Annotated[str, TextForm(r"^([0-9]{4}-)?[0-9]{1,2}-[0-9]{1,2}$", "a month and a day", "01-05")]
    """Last day."""


def backup_configuration(settings: BackupSettings) -> gcp.sql.DatabaseInstanceSettingsBackupConfigurationArgsDict:
    """The instance's `backup_configuration`."""
    configuration: gcp.sql.DatabaseInstanceSettingsBackupConfigurationArgsDict = {
        "enabled": True,
        "start_time": settings.start,
        "point_in_time_recovery_enabled": settings.point_in_time_days > 0,
        "backup_retention_settings": {"retained_backups": settings.retained, "retention_unit": "COUNT"},
    }
    if settings.point_in_time_days > 0:
        configuration["transaction_log_retention_days"] = settings.point_in_time_days
    if settings.location is not None:
        configuration["location"] = settings.location
    return configuration
