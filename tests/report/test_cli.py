"""What the command line takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from atwork.cli import app
from atwork.preview import commands


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, object]]]:
    result: list[tuple[list[str], dict[str, object]]] = []

    def preview(stacks: list[str], **given: object) -> int:
        result.append((stacks, given))
        return 3

    monkeypatch.setattr(commands, "preview", preview)
    return result


@pytest.mark.parametrize("words", [["preview"], ["preview", "--all"], ["drift", "--all"]])
def test_all_is_what_is_meant_where_none_is_named(
    words: list[str], asked: list[tuple[list[str], dict[str, object]]]
) -> None:
    assert CliRunner().invoke(app, words).exit_code == 3
    assert asked[0][0] == []


def test_all_and_names_together_are_refused(asked: list[tuple[list[str], dict[str, object]]]) -> None:
    done = CliRunner().invoke(app, ["drift", "ci", "--all"])
    assert done.exit_code == 2
    assert "name stacks or say --all" in done.output
    assert asked == []


def test_options_arrive(asked: list[tuple[list[str], dict[str, object]]], tmp_path: Path) -> None:
    words = ["preview", "ci", "--values", "none", "--format", "markdown", "--out", str(tmp_path), "--base", "main"]
    CliRunner().invoke(app, words)
    stacks, given = asked[0]
    assert stacks == ["ci"]
    assert (given["values"], given["form"], given["out"], given["base"]) == ("none", "markdown", tmp_path, "main")
