"""Settings of the environment itself: its kind, tier, owner and lifetime."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from components.settings import DnsLabel, Moment, Owner, Settings

MAX_LIFETIME = timedelta(days=14)
"""The longest time between creation and expiry of an ephemeral environment, however often it is extended."""

Tier = Literal["test", "production"]


class EnvironmentSettings(Settings):
    """What kind of environment this is and who answers for it."""

    kind: Literal["long-lived", "ephemeral"]
    """An ephemeral environment has an expiry date and can always be destroyed."""

    tier: Tier | None = None
    """What a long-lived environment with an upstream is for; production where it is left out. Releases reach every test
    environment before the first production one, and no production environment without a person's approval."""

    owner: Owner
    """Team that answers for it; becomes a label on everything."""

    created_at: Moment | None = None
    """When an ephemeral environment was created, in quotes and with its time zone; it expires at most 14 days later."""

    expires_at: Moment | None = None
    """Expiry date of an ephemeral environment, in quotes and with its time zone."""

    services: Annotated[tuple[DnsLabel, ...], Field(min_length=1)] | None = None
    """The only services of the catalog that run in an ephemeral environment; all where this is left out."""

    @field_validator("kind", mode="before")
    @classmethod
    def _renamed_kind(cls, value: object) -> object:
        if value == "popup":
            raise ValueError("`popup` is now called ephemeral; write kind: ephemeral")
        return value

    @model_validator(mode="after")
    def _ephemeral_expires(self) -> Self:
        if self.kind == "long-lived":
            if self.expires_at is not None:
                raise ValueError("a long-lived environment has no end; remove expires_at, or set kind: ephemeral")
            if self.services is not None:
                raise ValueError("services is for ephemeral environments; remove it: a service's file names the others")
            return self
        if self.expires_at is None:
            raise ValueError('an ephemeral environment needs expires_at; add it, such as "2027-01-31T18:00:00Z"')
        if self.created_at is None:
            raise ValueError(
                'an ephemeral environment needs created_at, when it was created; add it, such as "2027-01-28T18:00:00Z"'
            )
        if not self.created_at < self.expires_at <= self.created_at + MAX_LIFETIME:
            raise ValueError(
                f"expires_at must be after created_at and at most {MAX_LIFETIME.days} days after it; "
                "create a new ephemeral environment, or a long-lived environment"
            )
        if self.tier is not None:
            raise ValueError("tier is for long-lived environments: no release reaches an ephemeral one; remove it")
        return self

    @model_validator(mode="after")
    def _services_once(self) -> Self:
        services = self.services or ()
        duplicates = sorted({service for service in services if services.count(service) > 1})
        if duplicates:
            raise ValueError(f"services: {', '.join(duplicates)} is there twice; remove one")
        return self
