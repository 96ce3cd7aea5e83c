"""Regions and zones of Google Cloud."""

from __future__ import annotations

import re

from components.google import nearest
from components.google.tables import REFRESH, table

REGISTRY_MULTI_REGIONS = ("asia", "europe", "us")
"""https://cloud.google.com/artifact-registry/docs/repositories/repo-locations"""

BACKUP_MULTI_REGIONS = ("asia", "eu", "us")
"""https://cloud.google.com/sql/docs/postgres/backup-recovery/backups#where_backups_are_stored"""

_DIRECTIONS = r"north|northeast|east|southeast|south|southwest|west|northwest|central"
_NEW_NUMBERS = 2
"""Regions are numbered one after another: one that is newer than the list has one of the next numbers."""


def zones(region: str) -> tuple[str, ...]:
    """The zones of a region; empty for a region that is newer than the list."""
    return tuple(f"{region}-{letter}" for letter in table("locations")["regions"].get(region, ()))


def regions() -> tuple[str, ...]:
    """All regions."""
    return tuple(table("locations")["regions"])


def is_listed(region: str) -> bool:
    """Whether a region is known; one that is not can be newer than the list."""
    return region in table("locations")["regions"]


def known_region(region: str) -> str:
    """The region; `ValueError` for one that Google cannot have."""
    if is_listed(region) or _can_be_new(region):
        return region
    if zone := re.fullmatch(r"([a-z]+-[a-z]+[0-9]+)-[a-z]", region):
        raise ValueError(f"{region} is a zone; write its region, {zone[1]}")
    meant = re.sub(r"^eu-", "europe-", re.sub(r"-(\d+)$", r"\1", region))  # as other clouds write them
    advice = nearest.advice(meant, [meant] if meant in regions() else regions(), example="europe-west1")
    raise ValueError(f"Google has no region {region}; {advice} ({REFRESH})")


def _can_be_new(region: str) -> bool:
    continents = "|".join(sorted({name.partition("-")[0] for name in regions()}))
    parts = re.fullmatch(rf"((?:{continents})-(?:{_DIRECTIONS}))([1-9]\d?)", region)
    if parts is None:
        return False
    numbers = [int(name.removeprefix(parts[1])) for name in regions() if re.fullmatch(rf"{parts[1]}\d+", name)]
    return int(parts[2]) <= max(numbers, default=0) + _NEW_NUMBERS


def known_zone(zone: str) -> str:
    """The zone; `ValueError` for one that Google cannot have. AI zones, such as us-central1-ai1a, are not listed."""
    region, _, letter = zone.rpartition("-")
    if zones(region) and not re.fullmatch(r"ai\d[a-z]", letter):
        if zone in zones(region):
            return zone
        raise ValueError(f"region {region} has no zone {zone}; write one of {', '.join(zones(region))} ({REFRESH})")
    try:
        known_region(region)
    except ValueError:
        raise ValueError(f"Google has no zone {zone}; write one such as europe-west1-b ({REFRESH})") from None
    return zone


def registry_location(location: str) -> str:
    """The region or multi-region of Artifact Registry; `ValueError` for one that Google cannot have."""
    return _region_or_one_of(location, REGISTRY_MULTI_REGIONS)


def backup_location(location: str) -> str:
    """The region or multi-region of Cloud SQL's backups; `ValueError` for one that Google cannot have."""
    return _region_or_one_of(location, BACKUP_MULTI_REGIONS)


def _region_or_one_of(location: str, multi_regions: tuple[str, ...]) -> str:
    if location in multi_regions:
        return location
    try:
        return known_region(location)
    except ValueError as error:
        raise ValueError(f"{error}; the multi-regions are {', '.join(multi_regions)}") from None
