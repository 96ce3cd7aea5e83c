"""What a stack file says of the environment itself: its kind, its tier, its owner and its lifetime."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.settings import DnsLabel, LabelValue, Moment, Settings

POPUP_LONGEST = timedelta(days=14)
"""The most that a popup has, from its making to its end, however often it is extended."""

Tier = Literal["test", "production"]


class EnvironmentSettings(Settings):
    """What kind of environment this is and who answers for it."""

    kind: Literal["long-lived", "popup"]
    """A popup carries an end date and can always be destroyed."""

    tier: Tier | None = None
    """What a long-lived environment with an upstream is for; production where it is left out. Releases reach every test
    environment before the first production one, and no production environment without a person's approval."""

    owner: LabelValue
    """Team that answers for it; becomes a label on everything."""

    created_at: Moment | None = None
    """When a popup was made, in quotes and with its time zone; its end is never more than 14 days after."""

    expires_at: Moment | None = None
    """End of a popup, in quotes and with its time zone."""

    services: Annotated[tuple[DnsLabel, ...], Field(min_length=1)] | None = None
    """The only services of the catalogue that run in a popup; all where this is left out."""

    @model_validator(mode="after")
    def _end_date_for_popups(self) -> Self:
        if self.kind == "long-lived":
            if self.expires_at is not None:
                raise ValueError("a long-lived environment has no end: remove expires_at, or say kind: popup")
            if self.services is not None:
                raise ValueError("services is for popups: a service's own file names the long-lived environments")
            return self
        if self.expires_at is None:
            raise ValueError('a popup needs expires_at, such as "2027-01-31T18:00:00Z"')
        if self.created_at is None:
            raise ValueError('a popup needs created_at, the moment it was made, such as "2027-01-28T18:00:00Z"')
        if not self.created_at < self.expires_at <= self.created_at + POPUP_LONGEST:
            raise ValueError(
                f"expires_at must be after created_at and at most {POPUP_LONGEST.days} days after it; "
                "make a new popup, or a long-lived environment"
            )
        if self.tier is not None:
            raise ValueError("tier is for long-lived environments: releases are not deployed to a popup; remove it")
        return self

    @model_validator(mode="after")
    def _services_once(self) -> Self:
        services = self.services or ()
        duplicates = sorted({service for service in services if services.count(service) > 1})
        if duplicates:
            raise ValueError(f"services: {', '.join(duplicates)} is there twice; remove one")
        return self
