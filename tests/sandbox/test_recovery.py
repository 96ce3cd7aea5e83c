"""What a killed run leaves undecided is put right, whatever was killed, and however often."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from atwork.engine.events import Diagnostic
from atwork.engine.outcome import Outcome
from atwork.engine.stack import Stack
from atwork.errors import SandboxError
from atwork.sandbox import journal
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from atwork.sandbox.recovery import recover
from atwork.sandbox.state_files import state_file

KIND = "gcp:x/y:Z"


def urn(name: str) -> str:
    return f"urn:pulumi:ci::atwork::{KIND}::{name}"


class Fake:
    """A stack whose engine only clears what is pending, as `pulumi refresh --clear-pending-creates` does."""

    name = "ci"

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.home.prepare()
        self.cloud = Cloud(self.home.cloud)
        self.ran: list[str] = []
        self.at_refresh: Callable[[], int] = lambda: 0

    def refresh(self, *, clear_pending_creates: bool) -> Outcome:
        self.ran.append("--clear-pending-creates" if clear_pending_creates else "")
        code = self.at_refresh()
        if not code:
            self.state("kept")
        return Outcome("ci", code, diagnostics=[Diagnostic("", "the engine's words")] if code else [])

    def state(self, *known: str, **pending: str) -> None:
        """Write a state with resources, and with pending operations by name and type."""
        resources = [{"urn": urn(name), "id": name, "type": KIND} for name in known]
        operations = [{"type": kind, "resource": {"urn": urn(name)}} for name, kind in pending.items()]
        latest: dict[str, Any] = {"resources": resources, "pending_operations": operations}
        path = state_file(self.home, "ci")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))

    def made(self, name: str, identity: str = "") -> None:
        self.cloud.create(CloudObject("", KIND, identity or name, urn(name), {}, {}), set())

    def noted(self, *names: str) -> Path:
        """What a process that died was asked to change."""
        self.home.running.mkdir(exist_ok=True)
        path = self.home.running / "ci.1.a"
        path.write_text("".join(f"{urn(name)}\n" for name in names))
        return path

    def recover(self) -> list[str]:
        recover(self.home, cast("Stack", self), None, Console(quiet=True))
        return [one.id for one in self.cloud.objects()]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    made = Fake(tmp_path)
    made.state("kept")
    made.made("kept")
    return made


def test_what_ended_in_order_is_left_alone(fake: Fake) -> None:
    fake.made("others")
    assert fake.recover() == ["kept", "others"]
    assert fake.ran == []


def test_an_object_that_outlives_its_stack_is_no_orphan_of_a_run_that_wants_to_create_it_again(fake: Fake) -> None:
    fake.made("outlives")
    fake.recover()
    # The next run meets it, is refused, and is killed: its process had noted the creation, and so has the state.
    fake.state("kept", outlives="creating")
    fake.noted("outlives")
    assert fake.recover() == ["kept", "outlives"]


@pytest.mark.parametrize("kind", ["creating", "importing"])
def test_an_engine_that_was_killed_alone_leaves_no_orphan(fake: Fake, kind: str) -> None:
    """The process that serves the providers ended in order, so that only the state knows what was under way."""
    fake.state("kept", lost=kind)
    fake.made("lost")
    assert fake.recover() == ["kept"]
    assert len(fake.ran) == 1
    assert "--clear-pending-creates" in fake.ran[0]
    assert fake.recover() == ["kept"]
    assert len(fake.ran) == 1, "nothing is pending any more"


def test_a_recovery_that_is_killed_as_well_is_finished_by_the_next(fake: Fake) -> None:
    fake.state("kept", lost="creating")
    fake.made("lost")
    fake.at_refresh = lambda: 1
    with pytest.raises(SandboxError, match="ci: could not recover: the engine's words"):
        fake.recover()
    # Whatever the engine keeps of its pending operations at that moment, nothing is left to find by them.
    assert [one.id for one in fake.cloud.objects()] == ["kept"]
    fake.at_refresh = lambda: 0
    assert fake.recover() == ["kept"]


def test_an_update_or_deletion_under_way_is_read_anew_and_deletes_nothing(fake: Fake) -> None:
    fake.state("kept", kept="updating")
    assert fake.recover() == ["kept"]
    assert len(fake.ran) == 1


def test_of_a_replacement_that_was_cut_off_the_old_object_stays(fake: Fake) -> None:
    fake.state("kept", kept="creating")
    fake.made("kept", "kept-replacement")
    assert fake.recover() == ["kept"]


def test_what_a_dead_process_had_noted_is_deleted_and_nothing_else(fake: Fake) -> None:
    notes = fake.noted("kept", "lost")
    fake.made("lost")
    # What nobody was asked for in the run that died is somebody's, though the state does not know it.
    fake.made("others")
    assert fake.recover() == ["kept", "others"]
    assert len(fake.ran) == 1
    assert not notes.exists()
    assert journal.unfinished(fake.home.running, "ci") == []
