"""A message about a key of a file names the line of the key, whatever rule it is from."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.yaml_lines import with_lines

FILES = {
    "stacks/Pulumi.staging.yaml": """\
encryptionsalt: v1:abc
config:
  atwork:stack:
    project: {id: acme-staging}
    node_pools:
      spot:
        labels:
          example.com/kind.of: spot
          example.com/kind: spot
        zones:
          - europe-west1-b
          - europe-west9-a
""",
    "services/payments/ledger.yaml": "owner: team-payments\nenvironments:\n  staging: {host: ledger.example.com}\n",
    "stacks/platform.yaml": "bucket: acme-state\n",
    "stacks/Pulumi.broken.yaml": "config: [\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


STAGING, LEDGER = "stacks/Pulumi.staging.yaml", "services/payments/ledger.yaml"


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        (STAGING, "atwork:stack.project.id: is taken", 4),
        (STAGING, "atwork:stack: node_pools.spot.zones: choose another", 10),
        (STAGING, "atwork:stack.node_pools.spot.zones.1: choose another", 12),
        (STAGING, "atwork:stack.node_pools.spot.labels.example.com/kind: too long", 9),
        (STAGING, "atwork:stack.node_pools.spot.labels.example.com/kind.of: too long", 8),
        (STAGING, "atwork:stack.node_pools.nosuch: missing", 5),  # the last key above it
        (STAGING, "atwork:stack.upstream: missing; add it", 3),
        (LEDGER, "environments.staging.host: ledger.example.com is taken", 3),
        (LEDGER, "owner of it left", 1),
        ("stacks/platform.yaml", "bucket: is public", 1),
    ],
)
def test_the_line_is_that_of_the_key(file: str, text: str, line: int, root: Path) -> None:
    assert with_lines(f"{file}: {text}", root) == f"{file}:{line}: {text}"


@pytest.mark.parametrize(
    "message",
    [
        f"{LEDGER}: channel: missing; add it",
        f"{LEDGER}:2: owner: is in line 1 already",  # has its line
        f"{LEDGER}: ownership: is unclear",
        "services/none.yaml: owner: missing",
        "stacks/Pulumi.broken.yaml: config: not YAML",
        "owner: no file",
        "",
    ],
)
def test_a_message_without_a_key_of_a_file_stays(message: str, root: Path) -> None:
    assert with_lines(message, root) == message


def test_each_line_of_a_message_is_about_its_own_file(root: Path) -> None:
    message = f"{LEDGER}: owner: left\n{STAGING}: atwork:stack.project: shared\n  more about it"
    assert with_lines(message, root).splitlines() == [
        f"{LEDGER}:1: owner: left",
        f"{STAGING}:4: atwork:stack.project: shared",
        "  more about it",
    ]
