"""The environments under other names on the real engine; `make test-names` runs all end-to-end tests under them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import copy
from support.environments import PLACE
from support.guards import lift_policy, lift_settings
from support.renamed import NAMES, rename_environments, renamed_text

from atwork.sandbox.home import Home
from atwork.sandbox.state_files import deployment
from infra.layout import stack_file

pytestmark = pytest.mark.engine

BUILD, TEST, LIVE = NAMES.values()


def atwork(folder: Path, *words: str, code: int = 0) -> str:
    command = [sys.executable, "-c", "from atwork.cli import main; main()", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def table(output: str) -> dict[str, list[str]]:
    """Cells by stack: result, resources, created, updated, replaced, deleted, unchanged."""
    lines = (line.split() for line in output.splitlines())
    return {cells[0]: cells[1:8] for cells in lines if len(cells) > 8 and cells[1] in ("done", "failed")}


def test_environments_under_other_names_work_from_the_first_update_to_the_destroy(tmp_path: Path) -> None:
    folder = rename_environments(copy(tmp_path, "infra", "policies", "delivery"))
    listed = json.loads(atwork(folder, "environment", "list", "--json"))
    assert [(entry["name"], entry["stage"]) for entry in listed] == [
        (BUILD, "build"),
        (TEST, "test"),
        (LIVE, "production"),
    ]

    created = table(atwork(folder, "sandbox", "up"))
    assert list(created) == [BUILD, TEST, LIVE]
    assert all(cells[1] == cells[2] != "0" for cells in created.values())
    assert {cells[2:6] == ["·"] * 4 for cells in table(atwork(folder, "sandbox", "up")).values()} == {True}
    checked = atwork(folder, "sandbox", "verify")
    assert [line.split()[0] for line in checked.splitlines()[1:4]] == [BUILD, TEST, LIVE]

    settings = folder / "stacks" / f"Pulumi.{TEST}.yaml"
    settings.write_text(settings.read_text().replace("max_nodes: 6", "max_nodes: 7"))
    reports = json.loads(
        subprocess.run(
            [sys.executable, "-c", "from atwork.cli import main; main()", "preview", "--format", "json"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        ).stdout
    )
    assert [(report["stack"], report["result"], len(report["changes"])) for report in reports] == [
        (BUILD, "unchanged", 0),
        (TEST, "changes", 1),
        (LIVE, "unchanged", 0),
    ]

    atwork(folder, "environment", "new", "demo", "--owner", "team-orders", *PLACE, "--no-preview")
    assert f"made like {TEST}" in (folder / "stacks" / "Pulumi.demo.yaml").read_text()
    atwork(folder, "sandbox", "up", BUILD, "demo")
    assert "nothing is left of it" in atwork(folder, "environment", "destroy", "demo", "--confirm", "demo")

    assert "cannot be deleted" in atwork(folder, "sandbox", "down", LIVE, code=1)
    files = [stack_file(folder / "stacks", name) for name in NAMES.values()]
    lift_settings(*files)
    lift_policy(*files[1:])
    atwork(folder, "sandbox", "up")
    destroyed = atwork(folder, "sandbox", "down")
    assert [*table(destroyed)][-1] == BUILD, "the others read it"
    assert "Nothing is left." in destroyed
    assert [deployment(Home(folder), stack).get("resources") or [] for stack in NAMES.values()] == [[], [], []]


def test_messages_use_the_names_of_the_stack_files(tmp_path: Path) -> None:
    folder = rename_environments(copy(tmp_path, "infra", "policies"))
    printed = atwork(folder, "sandbox", "preview", code=1)
    usual = "staging reads the outputs of ci, which is not up; run `atwork sandbox up` first"
    assert renamed_text(usual) in printed
