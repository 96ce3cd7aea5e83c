"""The command: states of the sandbox, reports of a preview, and errors when there is nothing to draw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.events import report, step
from support.pictures import CLUSTER

from atwork.errors import BackendError, UsageError
from atwork.graph import commands
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import state_file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A checkout with two stack files, of which staging is up."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: atwork\n")
    for stack in ("staging", "production"):
        (tmp_path / "stacks" / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    home = Home(tmp_path)
    cluster = {
        "urn": f"urn:pulumi:staging::atwork::{CLUSTER}::c",
        "type": CLUSTER,
        "inputs": {"name": "atwork-staging"},
    }
    file = state_file(home, "staging")
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": [cluster]}}}))
    return home


def test_stacks_that_are_up_are_drawn_and_others_are_reported(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.graph([], out=Path("topology.svg"), changes=None) == 0
    assert "GKE atwork-staging" in Path("topology.svg").read_text()
    assert "Not drawn, because nothing is up: production" in capsys.readouterr().err
    assert [item.name for item in home.checkout.iterdir() if "topology" in item.name] == ["topology.svg"]


def test_the_picture_is_printed_without_a_file(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.graph(["staging"], out=None, changes=None) == 0
    assert capsys.readouterr().out.startswith("<svg")


def test_a_stack_that_is_not_up_is_an_error_with_the_fix(home: Home) -> None:
    with pytest.raises(BackendError, match="production: nothing is up to draw; run `atwork sandbox up production`"):
        commands.graph(["staging", "production"], out=None, changes=None)
    state_file(home, "staging").unlink()
    with pytest.raises(BackendError, match=r"production, staging: nothing is up|staging, production: nothing is up"):
        commands.graph([], out=None, changes=None)


def test_a_folder_that_is_not_there_is_an_error_and_nothing_is_written(home: Home) -> None:
    with pytest.raises(UsageError, match="there is no folder pictures; make it"):
        commands.graph([], out=Path("pictures/a.svg"), changes=None)


def test_changes_of_a_preview_are_in_color_also_of_a_new_stack(home: Home) -> None:
    reports = [
        report(step("update", CLUSTER, "c", {"a": 1}, {"a": 2}, stack="staging"), stack="staging"),
        report(step("create", CLUSTER, "c", None, {}, stack="production"), stack="production", new=True),
    ]
    folder = home.checkout / "out"
    folder.mkdir()
    for item in reports:
        (folder / f"report-{item.stack}.json").write_text(item.model_dump_json())
    assert commands.graph([], out=Path("a.svg"), changes=folder) == 0
    svg = Path("a.svg").read_text()
    assert 'id="staging.cluster.c" class="box cluster update"' in svg
    assert 'id="production.cluster.c" class="box cluster create"' in svg
    assert "GKE atwork-staging" in svg


def test_a_stack_without_a_report_is_an_error_with_the_fix(home: Home) -> None:
    folder = home.checkout / "out"
    folder.mkdir()
    item = report(stack="staging")
    (folder / "report-staging.json").write_text(item.model_dump_json())
    with pytest.raises(
        UsageError, match=r"out: no report of production; `atwork preview production --out .*out` writes it"
    ):
        commands.graph(["production"], out=None, changes=folder)
