"""The refresh of components/google/data, with answers as Google's APIs give them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.google import sql_flags, tables
from tools import google_values

TYPES = f"{google_values.COMPUTE}/acme/aggregated/machineTypes"
ANSWERS: dict[tuple[str, str], dict[str, Any]] = {
    (TYPES, ""): {
        "items": {
            "zones/us-central1-a": {"machineTypes": [{"name": "n2-standard-8"}, {"name": "n5-standard-16"}]},
            "zones/us-central1-d": {"warning": {"code": "NO_RESULTS_ON_PAGE"}},
        },
        "nextPageToken": "2",
    },
    (TYPES, "2"): {"items": {"zones/us-central1-b": {"machineTypes": [{"name": "n5-standard-8"}]}}},
    (f"{google_values.COMPUTE}/acme/zones", ""): {
        "items": [
            {"name": "europe-west13-a", "status": "UP"},
            {"name": "europe-west1-e", "status": "UP"},
            {"name": "us-central1-ai1a", "status": "UP"},
        ]
    },
    (f"{google_values.SQL}/projects/acme/tiers", ""): {
        "items": [
            {"tier": "db-f1-micro", "RAM": "643825664", "DiskQuota": "3298534883328", "kind": "sql#tier"},
            {"tier": "db-c4a-highmem-96", "RAM": "824633720832", "kind": "sql#tier"},
        ]
    },
    (f"{google_values.SQL}/flags", ""): {
        "items": [
            {
                "name": "max_connections",
                "type": "INTEGER",
                "appliesTo": ["POSTGRES_9_6", "POSTGRES_17", "POSTGRES_18"],
                "minValue": "14",
                "maxValue": "262143",
                "requiresRestart": True,
                "kind": "sql#flag",
            },
            {
                "name": "max_connections",
                "type": "INTEGER",
                "appliesTo": ["MYSQL_5_7", "MYSQL_8_4"],
                "minValue": "1",
                "maxValue": "100000",
                "allowedIntValues": ["0"],
            },
            {"name": "io_method", "type": "STRING", "appliesTo": ["POSTGRES_18"], "allowedStringValues": ["worker"]},
            {"name": "query_cache_size", "type": "INTEGER", "appliesTo": ["MYSQL_5_7"]},
        ]
    },
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the data, refreshed."""
    folder = tmp_path / "data"
    shutil.copytree(google_values.DATA, folder)

    def call(address: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        return ANSWERS[address, parameters.get("pageToken", "")]

    google_values.refresh(call, "acme", "2027-03-01", folder)
    return folder


def read(folder: Path, name: str) -> dict[str, Any]:
    return yaml.safe_load((folder / f"{name}.yaml").read_text())


def test_new_names_are_added_and_none_is_removed(data: Path) -> None:
    before, after = (read(folder, "machine_types") for folder in (google_values.DATA, data))
    assert after["types"] == {**before["types"], "n5": ["standard-8", "standard-16"]}
    assert after["complete"] == before["complete"]
    assert after["checked"] == "2027-03-01 with the API"
    before, after = (read(folder, "locations")["regions"] for folder in (google_values.DATA, data))
    assert set(after) - set(before) == {"europe-west13"}
    assert after["europe-west1"] == ["b", "c", "d", "e"]
    assert after["us-central1"] == ["a", "ai1a", "b", "c", "f"]
    before, after = (read(folder, "sql_tiers")["tiers"] for folder in (google_values.DATA, data))
    assert set(after) - set(before) == {"db-c4a-highmem-96"}
    assert not set(before) - set(after)


def test_flags_are_replaced_by_those_of_the_versions_in_use(data: Path) -> None:
    document = read(data, "sql_flags")
    assert document["complete"] == {"POSTGRES": True, "MYSQL": True}
    assert document["flags"] == {
        "POSTGRES": {
            "io_method": {"type": "STRING", "values": ["worker"], "versions": ["POSTGRES_18"]},
            "max_connections": {"type": "INTEGER", "min": 14, "max": 262143},
        },
        "MYSQL": {"max_connections": {"type": "INTEGER", "min": 1, "max": 100000, "also": [0]}},
    }


def test_after_a_refresh_a_flag_that_cloud_sql_does_not_have_is_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_flags, "table", lambda name: read(data, name))
    assert "POSTGRES_18 has no flag wal_keep_size" in sql_flags.mistake("POSTGRES_18", "wal_keep_size", "64")
    assert sql_flags.mistake("MYSQL_8_4", "max_connections", "0") == ""
    assert "out of range" in sql_flags.mistake("MYSQL_8_4", "max_connections", "-1")


def test_the_files_are_as_the_tool_writes_them(tmp_path: Path) -> None:
    for name in ("machine_types", "locations", "sql_tiers", "sql_flags"):
        google_values.write(name, tables.table(name), tmp_path)
        assert (tmp_path / f"{name}.yaml").read_text() == (google_values.DATA / f"{name}.yaml").read_text()
