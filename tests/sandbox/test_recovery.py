"""Recovery after a kill: of the engine, of the process with the providers, of an earlier recovery."""

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


class FakeStack:
    """A stack whose engine only clears pending operations, as `pulumi refresh --clear-pending-creates` does."""

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
        return Outcome("ci", code, diagnostics=[Diagnostic("", "the engine's message")] if code else [])

    def state(self, *known: str, **pending: str) -> None:
        """Write a state with resources, and with pending operations by name and type."""
        resources = [{"urn": urn(name), "id": name, "type": KIND} for name in known]
        operations = [{"type": kind, "resource": {"urn": urn(name)}} for name, kind in pending.items()]
        latest: dict[str, Any] = {"resources": resources, "pending_operations": operations}
        path = state_file(self.home, "ci")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))

    def create(self, name: str, identity: str = "") -> None:
        self.cloud.create(CloudObject("", KIND, identity or name, urn(name), {}, {}), set())

    def record(self, *names: str) -> Path:
        """Write the journal of a killed process: what it was asked to change."""
        self.home.running.mkdir(exist_ok=True)
        path = self.home.running / "ci.1.a"
        path.write_text("".join(f"{urn(name)}\n" for name in names))
        return path

    def recover(self) -> list[str]:
        recover(self.home, cast("Stack", self), None, Console(quiet=True))
        return [each.id for each in self.cloud.objects()]


@pytest.fixture
def stack(tmp_path: Path) -> FakeStack:
    stack = FakeStack(tmp_path)
    stack.state("kept")
    stack.create("kept")
    return stack


def test_recovery_does_nothing_after_a_clean_end(stack: FakeStack) -> None:
    stack.create("others")
    assert stack.recover() == ["kept", "others"]
    assert stack.ran == []


def test_an_object_that_outlives_its_stack_is_no_orphan_of_a_run_that_tries_to_create_it_again(
    stack: FakeStack,
) -> None:
    stack.create("outlives")
    stack.recover()
    # The next run tries to create it, is refused, and is killed: the creation is in its journal and in the state.
    stack.state("kept", outlives="creating")
    stack.record("outlives")
    assert stack.recover() == ["kept", "outlives"]


def test_an_object_that_outlives_its_stack_belongs_to_it_again_after_an_import(stack: FakeStack) -> None:
    stack.create("outlives")
    stack.recover()
    assert {each.id: each.urn for each in stack.cloud.objects()} == {"kept": urn("kept"), "outlives": ""}
    stack.state("kept", "outlives")
    stack.recover()
    assert {each.urn for each in stack.cloud.objects()} == {urn("kept"), urn("outlives")}


@pytest.mark.parametrize("kind", ["creating", "importing"])
def test_an_engine_that_was_killed_alone_leaves_no_orphan(stack: FakeStack, kind: str) -> None:
    """The process with the providers ended cleanly, so that only the state has the pending operation."""
    stack.state("kept", lost=kind)
    stack.create("lost")
    assert stack.recover() == ["kept"]
    assert len(stack.ran) == 1
    assert "--clear-pending-creates" in stack.ran[0]
    assert stack.recover() == ["kept"]
    assert len(stack.ran) == 1, "nothing is pending any more"


def test_a_recovery_that_is_killed_as_well_is_finished_by_the_next(stack: FakeStack) -> None:
    stack.state("kept", lost="creating")
    stack.create("lost")
    stack.at_refresh = lambda: 1
    with pytest.raises(SandboxError, match="ci: could not recover: the engine's message"):
        stack.recover()
    # The orphan is deleted before the refresh, which may clear the pending operations or not.
    assert [each.id for each in stack.cloud.objects()] == ["kept"]
    stack.at_refresh = lambda: 0
    assert stack.recover() == ["kept"]


def test_a_refresh_that_fails_after_it_cleared_the_pending_operations_is_repeated(stack: FakeStack) -> None:
    """As when its providers are killed before they answer: then nothing of the state was compared."""
    stack.state("kept", "deleted", deleted="deleting")

    def cleared() -> int:
        stack.state("kept", "deleted")
        return 1

    stack.at_refresh = cleared
    with pytest.raises(SandboxError, match="could not recover"):
        stack.recover()
    assert journal.unfinished(stack.home.running, "ci")[0].urns == {urn("deleted")}
    stack.at_refresh = lambda: 0
    stack.recover()
    stack.recover()
    assert len(stack.ran) == 2
    assert journal.unfinished(stack.home.running, "ci") == []


def test_a_pending_update_is_read_again_and_nothing_is_deleted(stack: FakeStack) -> None:
    stack.state("kept", kept="updating")
    assert stack.recover() == ["kept"]
    assert len(stack.ran) == 1


def test_after_an_interrupted_replacement_the_old_object_stays(stack: FakeStack) -> None:
    stack.state("kept", kept="creating")
    stack.create("kept", "kept-replacement")
    assert stack.recover() == ["kept"]


def test_only_objects_in_the_journal_of_a_killed_process_are_deleted(stack: FakeStack) -> None:
    journal_file = stack.record("kept", "lost")
    stack.create("lost")
    # The killed run was not asked for this object, so it is kept although it is not in the state.
    stack.create("others")
    assert stack.recover() == ["kept", "others"]
    assert len(stack.ran) == 1
    assert not journal_file.exists()
    assert journal.unfinished(stack.home.running, "ci") == []
