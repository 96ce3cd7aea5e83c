"""Keys that people copy from Terraform and gcloud: the message names the key of this project, or why there is none."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from infra import foreign_keys
from infra.config import STACKS, parse, read_file
from infra.errors import ConfigError

STAGING: dict[str, Any] = json.loads(read_file(STACKS / "Pulumi.staging.yaml"))


def answer_to(path: str, value: object) -> str:
    """The message about one key, without file and path."""
    settings = copy.deepcopy(STAGING)
    inner = settings
    *folders, last = path.split(".")
    for folder in folders:
        inner = inner[folder]
    inner[last] = value
    with pytest.raises(ConfigError) as caught:
        parse("staging", json.dumps(settings))
    [line] = str(caught.value).splitlines()
    return line.removeprefix(f"stacks/Pulumi.staging.yaml: atwork:stack.{path}: ")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("autopilot", True, "Autopilot is not supported: "),
        ("cluster.enable_autopilot", True, "Autopilot is not supported: "),
        ("gpu", {"type": "nvidia-l4"}, "node_pools.NAME.gpu"),
        ("shared_vpc", {}, "network.existing"),
        ("cluster.location", "europe-west1-b", "cluster.zone"),
        ("cluster.network_project_id", "host", "network.existing"),
        ("cluster.kubernetes_version", "1.35", "cluster.release_channel"),
        ("cluster.master_authorized_networks", [], "cluster.break_glass"),
        ("network.host_project", "host", "network.existing"),
        ("network.subnetwork", "s", "network.existing"),
        ("node_pools.services.guest_accelerators", [], "gpu"),
        ("node_pools.services.accelerator-count", 1, "gpu.count"),
        ("node_pools.services.node_locations", [], "zones"),
        ("node_pools.services.min-count", 1, "min_nodes"),
        ("node_pools.services.max_count", 1, "max_nodes"),
        ("node_pools.services.preemptible", True, "spot: true"),
        ("node_pools.services.local_ssd_count", 1, "local SSDs are not supported: "),
        ("node_pools.services.auto_upgrade", True, "the same for all pools"),
        ("databases.main.read_replicas", [], "replicas, a map by name"),
        ("databases.main.database_version", "POSTGRES_17", "write version: "),
        ("databases.main.availability_type", "REGIONAL", "high_availability: true"),
        ("databases.main.ipv4_enabled", True, "remove it"),
        ("replicas", 2, "databases.NAME.replicas"),
    ],
)
def test_a_key_of_another_tool_is_answered_with_ours(path: str, value: object, message: str) -> None:
    answer = answer_to(path, value)
    assert message in answer
    assert "did you mean" not in answer


def test_a_misspelled_key_of_ours_is_still_a_misspelling() -> None:
    assert answer_to("node_pools.services.zoness", []) == "unknown key; did you mean zones?"
    assert foreign_keys.foreign_key("nothing.like.it") == ""


def test_no_entry_hides_a_key_of_ours() -> None:
    """Every path of the real stack files and of their examples is ours."""
    paths = set[str]()

    def walk(value: object, path: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                paths.add(f"{path}{key}")
                walk(inner, f"{path}{key}.")

    walk(STAGING, "")
    for entry in foreign_keys.KEYS:
        assert not [path for path in paths if re.fullmatch(entry, path)], entry
