"""Maintenance windows, freezes and the disruption budget of a cluster: settings and the block they become."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from components.forms import TextForm
from components.settings import Moment, Settings, TimeOfDay, duration, rfc3339

if TYPE_CHECKING:
    import pulumi_gcp as gcp

Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
"""The days of a week, Monday first."""


class FreezeSettings(Settings):
    """A span without upgrades, such as the last weeks of the year."""

    start: Moment
    """First moment, in quotes and with its time zone."""

    end: Moment
    """Last moment, likewise; GKE allows at most 180 days for minor versions and nodes, 30 for everything."""

    scope: Literal["NO_UPGRADES", "NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"] = "NO_MINOR_OR_NODE_UPGRADES"
    """What stands still; security patches of the control plane go on unless it is NO_UPGRADES."""

    @model_validator(mode="after")
    def _within_limits(self) -> Self:
        days = (self.end - self.start).total_seconds() / 86400
        limit = 30 if self.scope == "NO_UPGRADES" else 180
        if days <= 0:
            raise ValueError(
                f"end {self.end.isoformat()} must come after start {self.start.isoformat()}; choose a later end"
            )
        if days > limit:
            raise ValueError(f"{days:.0f} days are more than the {limit} that GKE allows for {self.scope}; shorten it")
        return self


FreezeName = Annotated[
    str,
    TextForm(
        r"^[a-z][a-z0-9-]{0,62}$",
        "a name of at most 63 lower-case letters, digits and hyphens, a letter first",
        "year-end",
    ),
]
"""Key of a span without upgrades."""


class MaintenanceSettings(Settings):
    """When Google may upgrade. GKE wants at least 48 hours of windows in any 32 days."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
    """Days of the week on which a window opens (UTC)."""

    start: TimeOfDay = "03:00"
    """When it opens (UTC)."""

    hours: Annotated[int, Field(ge=4, le=24)] = 4
    """How long it stays open."""

    freezes: dict[FreezeName, FreezeSettings] = Field(default_factory=dict, max_length=20)
    """Spans without upgrades, by name."""

    days_between_minor_versions: Annotated[int, Field(ge=1, le=90)] | None = None
    """Least distance between two disruptions by a minor version."""

    @model_validator(mode="after")
    def _windows_long_enough(self) -> Self:
        # Any 32 days hold each weekday at least four times.
        hours = 4 * len(set(self.days)) * self.hours
        if hours < 48:
            raise ValueError(f"{hours} hours of windows in 32 days are fewer than the 48 GKE needs; add days or hours")
        return self


def maintenance_policy(settings: MaintenanceSettings) -> gcp.container.ClusterMaintenancePolicyArgsDict:
    """The cluster's `maintenance_policy`: one recurring window, the freezes, the disruption budget."""
    opens = datetime.fromisoformat(f"2026-01-01T{settings.start}:00+00:00")  # the date only anchors the recurrence
    closes_day, closes_hour = divmod(opens.hour + settings.hours, 24)
    closes = opens.replace(day=opens.day + closes_day, hour=closes_hour)
    policy: gcp.container.ClusterMaintenancePolicyArgsDict = {
        "recurring_window": {
            "start_time": rfc3339(opens),
            "end_time": rfc3339(closes),
            "recurrence": f"FREQ=WEEKLY;BYDAY={','.join(settings.days)}",
        },
        "maintenance_exclusions": [
            {
                "exclusion_name": name,
                "start_time": rfc3339(freeze.start),
                "end_time": rfc3339(freeze.end),
                "exclusion_options": {"scope": freeze.scope},
            }
            for name, freeze in settings.freezes.items()
        ],
    }
    if settings.days_between_minor_versions is not None:
        interval = duration(settings.days_between_minor_versions)
        policy["disruption_budget"] = {"minor_version_disruption_interval": interval}
    return policy
