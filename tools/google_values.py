"""Refresh components/google/data: machine types, zones, tiers and flags of Cloud SQL, as Google offers them today.

    python -m tools.google_values PROJECT

Needs a login (`gcloud auth application-default login`) with roles/compute.viewer and roles/cloudsql.viewer on a project
with both APIs. Names are added and never removed: a project does not see everything. The list of flags is replaced,
because Cloud SQL offers the same flags to everybody; after that, an unknown flag is refused.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

Call = Callable[[str, Mapping[str, str]], dict[str, Any]]
"""Gets an address with parameters."""

DATA = Path(__file__).parents[1] / "components" / "google" / "data"
COMPUTE = "https://compute.googleapis.com/compute/v1/projects"
SQL = "https://sqladmin.googleapis.com/v1"
_ENGINES = {"POSTGRES": r"POSTGRES_(1[4-9]|[2-9]\d)", "MYSQL": r"MYSQL_(8|9|[1-9]\d)_\d"}
"""Versions of each engine whose flags are kept."""


def by_number(name: str) -> list[str | int]:
    """The order of names with numbers: standard-4 is before standard-16."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def write(name: str, document: Mapping[str, Any], folder: Path = DATA) -> None:
    """Write `data/NAME.yaml`, one entry in a line."""
    text = yaml.safe_dump(dict(document), sort_keys=False, width=118, default_flow_style=None)
    (folder / f"{name}.yaml").write_text(f"# Written by tools/google_values.py.\n{text}")


def refresh(call: Call, project: str, today: str, folder: Path = DATA) -> None:
    """Rewrite the four files."""
    checked = f"{today} with the API"
    for name, update in (
        ("machine_types", _machine_types),
        ("locations", _locations),
        ("sql_tiers", _tiers),
        ("sql_flags", _flags),
    ):
        document = yaml.safe_load((folder / f"{name}.yaml").read_text())
        update(document, call, project)
        write(name, {**document, "checked": checked}, folder)


def _machine_types(document: dict[str, Any], call: Call, project: str) -> None:
    for page in _pages(call, f"{COMPUTE}/{project}/aggregated/machineTypes"):
        for zone in page.get("items", {}).values():
            for item in zone.get("machineTypes", ()):
                series, _, size = item["name"].partition("-")
                _add(document["types"].setdefault(series, []), [size])
    document["types"] = dict(sorted(document["types"].items()))


def _locations(document: dict[str, Any], call: Call, project: str) -> None:
    for page in _pages(call, f"{COMPUTE}/{project}/zones"):
        for item in page.get("items", ()):
            region, _, letter = item["name"].rpartition("-")
            _add(document["regions"].setdefault(region, []), [letter])
    document["regions"] = dict(sorted(document["regions"].items()))


def _tiers(document: dict[str, Any], call: Call, project: str) -> None:
    _add(document["tiers"], [item["tier"] for item in call(f"{SQL}/projects/{project}/tiers", {}).get("items", ())])


def _add(known: list[str], names: Iterable[str]) -> None:
    known[:] = sorted({*known, *names}, key=by_number)


def _pages(call: Call, address: str) -> Iterator[dict[str, Any]]:
    """All pages of a list of Compute Engine."""
    parameters = {"maxResults": "500"}
    while True:
        page = call(address, parameters)
        yield page
        if not page.get("nextPageToken"):
            return
        parameters = {**parameters, "pageToken": page["nextPageToken"]}


def _flags(document: dict[str, Any], call: Call, project: str) -> None:
    del project  # flags are the same everywhere
    items = call(f"{SQL}/flags", {})["items"]
    for engine, pattern in _ENGINES.items():
        versions = {version for item in items for version in item["appliesTo"] if re.fullmatch(pattern, version)}
        flags: dict[str, list[dict[str, Any]]] = {}
        for item in items:
            if applies := sorted(versions.intersection(item["appliesTo"]), key=by_number):
                entry = _entry(item)
                flags.setdefault(item["name"], []).append(
                    entry if len(applies) == len(versions) else {**entry, "versions": applies}
                )
        document["flags"][engine] = {
            name: entries[0] if len(entries) == 1 else entries for name, entries in sorted(flags.items())
        }
        document["complete"][engine] = True


def _entry(item: Mapping[str, Any]) -> dict[str, Any]:
    """What a flag takes, from https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1/flags."""
    entry: dict[str, Any] = {"type": item["type"]}
    if item["type"] in ("INTEGER", "FLOAT"):
        entry |= {key: int(item[name]) for key, name in (("min", "minValue"), ("max", "maxValue")) if name in item}
        if item.get("allowedIntValues"):
            entry["also"] = [int(value) for value in item["allowedIntValues"]]
    elif item["type"] == "STRING" and item.get("allowedStringValues"):
        entry["values"] = list(item["allowedStringValues"])
    return entry


def main() -> None:
    """Refresh the files with the login of this machine."""
    from atwork.environments.bootstrap.google import login

    if len(sys.argv) != 2:
        sys.exit("usage: python -m tools.google_values PROJECT")
    google = login()
    refresh(
        lambda address, parameters: google.call("GET", address, params=parameters),
        sys.argv[1],
        f"{datetime.now(UTC):%Y-%m-%d}",
    )


if __name__ == "__main__":
    main()
