"""`atwork up --expect`: what it shows before it changes anything, without an engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest
from support.reports import change, stack_report

from atwork.deploy import update
from atwork.errors import ExitCode
from atwork.report.model import StackReport

REPORT = stack_report("production", change("production", "orders"))


class RecordingBackend:
    """A backend that notes when a stack is updated."""

    shared = False
    url = "file://state"

    def __init__(self, output: Callable[[], str]) -> None:
        self._output = output
        self.shown: list[str] = []
        """What was printed before each update."""

    def stack(self, _name: str) -> RecordingBackend:
        return self

    def up_in_terminal(self, _note: object) -> int:
        self.shown.append(self._output())
        return 0


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RecordingBackend:
    def previews(*_arguments: object) -> list[StackReport]:
        return [REPORT]

    backend = RecordingBackend(lambda: capsys.readouterr().out)
    monkeypatch.setattr(update, "previews", previews)
    monkeypatch.setattr(update.choice, "chosen", lambda *_arguments: nullcontext(backend))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    return backend


def test_the_update_shows_its_own_table_before_it_changes_anything(backend: RecordingBackend) -> None:
    """The report of the pull request came from the code of the pull request."""
    assert update.up("production", REPORT.fingerprint) == 0
    [shown] = backend.shown
    assert "orders" in shown
    assert "spec.replicas: 1 → 2" in shown


def test_what_was_not_approved_is_shown_and_not_made(
    backend: RecordingBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update.up("production", "0" * 64) == ExitCode.NOT_APPROVED
    assert backend.shown == []
    assert "spec.replicas: 1 → 2" in capsys.readouterr().out
