"""Backups of a Cloud SQL instance, and the yearly span without maintenance."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from components.forms import TextForm
from components.google.locations import backup_location
from components.google.sql import Engine
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

    location: (
        Annotated[
            str,
            TextForm(r"^[a-z]+(-[a-z]+[0-9]+)?$", "a multi-region or a region", "eu"),
            AfterValidator(backup_location),
        ]
        | None
    ) = None
    """Region or multi-region of the backups; another region survives the loss of the instance's."""

    keep_after_deletion: bool = True
    """Whether a last backup is taken at deletion, and the others are kept."""

    @model_validator(mode="after")
    def _logs_have_their_backups(self) -> Self:
        # https://cloud.google.com/sql/docs/postgres/backup-recovery/pitr
        if self.point_in_time_days > self.retained:
            raise ValueError(
                f"retained {self.retained} is below point_in_time_days {self.point_in_time_days}: logs are of use only "
                f"with a backup from before them, and Cloud SQL refuses it; set retained to {self.point_in_time_days} "
                "or more, or lower point_in_time_days"
            )
        return self


MOST_FREEZE_DAYS = 90
"""https://cloud.google.com/sql/docs/postgres/maintenance#deny-period-limitations"""

_LEAP_YEAR = "2028"
"""Stands for every year: it has all days."""


def _date(day: str) -> date:
    """The date of YEAR-MONTH-DAY or MONTH-DAY; `ValueError` for a day that is not in the calendar."""
    year, month, day_of_month = ([] if day.count("-") > 1 else [_LEAP_YEAR]) + day.split("-")
    return date(int(year), int(month), int(day_of_month))


def _freeze_day(day: str) -> str:
    try:
        _date(day)
    except ValueError:
        raise ValueError(f'"{day}" is not a day of the calendar; write month-day, such as "11-20"') from None
    return day


FreezeDay = Annotated[
    str,
    TextForm(r"^([0-9]{4}-)?[0-9]{1,2}-[0-9]{1,2}$", "a month and a day", "11-20"),
    AfterValidator(_freeze_day),
]
"""A day as Cloud SQL's maintenance has it."""


class YearlyFreezeSettings(Settings):
    """Cloud SQL's one span a year without maintenance, 90 days at most."""

    start: FreezeDay
    """First day, in quotes: month-day for every year, or year-month-day for one."""

    end: FreezeDay
    """Last day, likewise."""

    @model_validator(mode="after")
    def _short_enough(self) -> Self:
        yearly = self.start.count("-") == 1
        if yearly != (self.end.count("-") == 1):
            raise ValueError(f"start {self.start} and end {self.end}; state the year in both, or in neither")
        start, end = _date(self.start), _date(self.end)
        if yearly and end < start:  # over the end of the year
            end += timedelta(days=366)
        days = (end - start).days + 1
        if days < 1:
            raise ValueError(f"end {self.end} is before start {self.start}; swap or correct them")
        if days > MOST_FREEZE_DAYS:
            raise ValueError(
                f"{days} days from {self.start} to {self.end} are more than the {MOST_FREEZE_DAYS} that Cloud SQL "
                "allows; choose an earlier end or a later start"
            )
        return self


def freeze_day(day: str) -> str:
    """A day as the provider takes it: months without a leading zero, days with two digits."""
    *year, month, day_of_month = day.split("-")
    return "-".join([*year, str(int(month)), f"{int(day_of_month):02}"])


def backup_configuration(
    settings: BackupSettings, engine: Engine
) -> gcp.sql.DatabaseInstanceSettingsBackupConfigurationArgsDict:
    """The instance's `backup_configuration`; the logs of MySQL are binary logs, and have a switch of their own."""
    configuration: gcp.sql.DatabaseInstanceSettingsBackupConfigurationArgsDict = {
        "enabled": True,
        "start_time": settings.start,
        "backup_retention_settings": {"retained_backups": settings.retained, "retention_unit": "COUNT"},
    }
    if engine == "MYSQL":
        configuration["binary_log_enabled"] = settings.point_in_time_days > 0
    else:
        configuration["point_in_time_recovery_enabled"] = settings.point_in_time_days > 0
    if settings.point_in_time_days > 0:
        configuration["transaction_log_retention_days"] = settings.point_in_time_days
    if settings.location is not None:
        configuration["location"] = settings.location
    return configuration
