"""The dated price list, `prices.yaml`, read and checked."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

Price = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Sourced(_Part):
    source: str


class Discount(_Sourced):
    """A discount as a share of the price."""

    share: Annotated[float, Field(gt=0, lt=1)]


class Fee(_Sourced):
    """Dollars an hour."""

    price: Price


class Nat(_Sourced):
    """Dollars an hour for each machine behind a gateway, and the most for all of them."""

    vm_hour: Price
    most_hour: Price


class DatabasePrices(_Sourced):
    """Cloud SQL, Enterprise edition."""

    vcpu_hour: Price
    gb_hour: Price
    ssd_gb_month: Price
    standby_factor: Price


class MachinePrices(_Sourced):
    """A family of machines: dollars an hour."""

    vcpu_hour: Price
    gb_hour: Price


class Group(_Part):
    """Regions with one price list; disks are dollars for a GB and month."""

    regions: Annotated[tuple[str, ...], Field(min_length=1)]
    machines: dict[str, MachinePrices]
    disks: dict[str, Price | str]


class Prices(_Part):
    """The price list; every figure names its source."""

    as_of: date
    hours_per_month: Price
    sources: dict[str, str]
    spot_discount: Discount
    cluster_hour: Fee
    forwarding_rules_hour: Fee
    nat: Nat
    database: DatabasePrices
    groups: dict[str, Group]

    @model_validator(mode="after")
    def _sources_are_there(self) -> Self:
        fees = (self.spot_discount, self.cluster_hour, self.forwarding_rules_hour, self.nat, self.database)
        named = [fee.source for fee in fees]
        for group in self.groups.values():
            named += [machine.source for machine in group.machines.values()] + [str(group.disks.get("source", ""))]
        missing = sorted(set(named) - self.sources.keys())
        if missing:
            raise ValueError(f"there is no source {', '.join(missing)}; add it to sources")
        return self

    def of(self, region: str) -> Group | None:
        """The price list of a region; None if there is none."""
        return next((group for group in self.groups.values() if region in group.regions), None)


@cache
def current() -> Prices:
    """The price list of this version."""
    return Prices.model_validate(yaml.safe_load(Path(__file__).with_name("prices.yaml").read_text()))
