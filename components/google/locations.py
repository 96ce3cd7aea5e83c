"""Regions and zones of Google Cloud."""

from __future__ import annotations

import re

from components.google import nearest
from components.google.tables import REFRESH, table

REGISTRY_MULTI_REGIONS = ("asia", "europe", "us")
"""https://cloud.google.com/artifact-registry/docs/repositories/repo-locations"""

BACKUP_MULTI_REGIONS = ("asia", "eu", "us")
"""https://cloud.google.com/sql/docs/postgres/backup-recovery/backups#where_backups_are_stored"""


def zones(region: str) -> tuple[str, ...]:
    """The zones of a region."""
    return tuple(f"{region}-{letter}" for letter in table("locations")["regions"].get(region, ()))


def regions() -> tuple[str, ...]:
    """All regions."""
    return tuple(table("locations")["regions"])


def known_region(region: str) -> str:
    """The region; `ValueError` for one that Google does not have."""
    if region in table("locations")["regions"]:
        return region
    if (zone := re.fullmatch(r"([a-z]+-[a-z]+[0-9]+)-[a-z]", region)) and zone[1] in table("locations")["regions"]:
        raise ValueError(f"{region} is a zone; write its region, {zone[1]}")
    meant = re.sub(r"^eu-", "europe-", region)
    advice = nearest.advice(meant, [meant] if meant in regions() else regions(), example="europe-west1")
    raise ValueError(f"Google has no region {region}; {advice} ({REFRESH})")


def known_zone(zone: str) -> str:
    """The zone; `ValueError` for one that Google does not have."""
    region = zone.rpartition("-")[0]
    if zone in zones(region):
        return zone
    if zones(region):
        raise ValueError(f"region {region} has no zone {zone}; write one of {', '.join(zones(region))} ({REFRESH})")
    raise ValueError(f"Google has no zone {zone}; write one such as europe-west1-b ({REFRESH})")


def registry_location(location: str) -> str:
    """The region or multi-region of Artifact Registry; `ValueError` for one that Google does not have."""
    return _region_or_one_of(location, REGISTRY_MULTI_REGIONS)


def backup_location(location: str) -> str:
    """The region or multi-region of Cloud SQL's backups; `ValueError` for one that Google does not have."""
    return _region_or_one_of(location, BACKUP_MULTI_REGIONS)


def _region_or_one_of(location: str, multi_regions: tuple[str, ...]) -> str:
    if location in multi_regions:
        return location
    try:
        return known_region(location)
    except ValueError as error:
        raise ValueError(f"{error}; the multi-regions are {', '.join(multi_regions)}") from None
