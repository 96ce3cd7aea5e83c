"""kill -9 at each step of `reap` and of `destroy`, then once more: it ends in the same state as if nothing had happened.

The command runs as a process against a folder like a real backend, with a fake engine that waits until the test continues it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from support.environments import contents, create_ephemeral, ends_in, with_groups
from support.fake_engine import FakeBackend, resource
from support.processes import kill_at

from atwork.environments import ending
from atwork.environments.destroy_journal import DestroyJournal

COMMAND = [sys.executable, "-c", "from atwork.cli import main; main()", "environment"]
REAP = ("reap", "--apply", "--real")


class Reaper:
    """Starts the command in a checkout, to its end or until it is killed in a step."""

    def __init__(self, checkout: Path, backend: FakeBackend, *words: str) -> None:
        self.checkout = checkout
        self.command = [*COMMAND, *(words or REAP)]
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{backend.path.parent}",
            "ATWORK_PULUMI": str(backend.program),
            "FAKE_BACKEND": str(backend.path),
        }

    def start(self, errors: IO[str], **more: str) -> subprocess.Popen[bytes]:
        environment = {**self.environment, **more}
        return subprocess.Popen(
            self.command, cwd=self.checkout, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        )

    def whole(self) -> int:
        with tempfile.TemporaryFile("w+") as errors:
            code = self.start(errors).wait()
            errors.seek(0)
            assert "Traceback" not in errors.read()
            return code

    def killed(self, step: str, stack: str = "demo") -> None:
        """Kill the command while the engine waits in a step; in each step before, it is let go on."""
        journal, turns = DestroyJournal.of(self.checkout, stack), self.checkout / "turns"
        shutil.rmtree(turns, ignore_errors=True)
        turns.mkdir()

        def come() -> bool:
            waiting = list(turns.iterdir())
            if waiting and journal.last() == step:
                return True
            for turn in waiting:
                turn.unlink()
            return False

        with tempfile.TemporaryFile("w+") as errors:
            kill_at(self.start(errors, FAKE_TURNS=str(turns)), come, errors)
        shutil.rmtree(turns)


@pytest.fixture
def reaper(checkout: Path, tmp_path: Path) -> Reaper:
    backend = FakeBackend(tmp_path)
    create_ephemeral("demo")
    ends_in(checkout, "demo", timedelta(hours=-1))
    backend.add("demo", resource("kubernetes:core/v1:Namespace", "orders", "demo"))
    backend.add("staging")
    backend.fail("demo", "destroy", "no quota")  # so that there is a step `again`
    return Reaper(checkout, backend)


def ending_of(reaper: Reaper) -> tuple[dict[str, Any], dict[Path, bytes]]:
    content = FakeBackend.read(BackendAt(reaper))
    return {key: content[key] for key in ("stacks", "tags")}, contents(reaper.checkout)


class BackendAt(FakeBackend):
    """The backend of a reaper, as it is."""

    def __init__(self, reaper: Reaper) -> None:
        self.path = Path(reaper.environment["FAKE_BACKEND"])


@pytest.mark.parametrize("step", ["inside", "destroy", "forget"])
def test_a_run_that_is_killed_in_a_step_is_finished_by_the_next(step: str, reaper: Reaper) -> None:
    reaper.killed(step)
    if step != "forget":
        assert (reaper.checkout / "stacks" / "Pulumi.demo.yaml").exists(), "files go last"
    assert reaper.whole() == 0
    state, files = ending_of(reaper)
    assert state["stacks"].keys() == {"staging"}
    assert "demo" not in state["tags"]
    assert {path.name for path in files if path.name.startswith("Pulumi.")} == {
        "Pulumi.ci.yaml",
        "Pulumi.staging.yaml",
        "Pulumi.production.yaml",
    }
    assert b"demo" not in files[reaper.checkout / "stacks" / "Pulumi.ci.yaml"]


def test_killed_at_every_step_in_turn(reaper: Reaper) -> None:
    """`verify` only reads, in less time than it takes to be seen."""
    for step in ending.STEPS:
        if step != "verify":
            reaper.killed(step)
    assert reaper.whole() == 0
    state, _ = ending_of(reaper)
    assert state["stacks"].keys() == {"staging"}


@pytest.fixture
def destroyer(checkout: Path, tmp_path: Path) -> Reaper:
    """A long-lived environment with two groups that have stacks of their own."""
    backend = FakeBackend(tmp_path)
    with_groups(checkout, backend)
    return Reaper(checkout, backend, "destroy", "qa", "--confirm", "qa")


@pytest.mark.parametrize(("stack", "step"), [("qa.payments", "mark"), ("qa.search", "forget"), ("qa", "destroy")])
def test_a_destroy_with_groups_that_is_killed_is_finished_by_the_next(stack: str, step: str, destroyer: Reaper) -> None:
    destroyer.killed(step, stack)
    state, files = ending_of(destroyer)
    assert "qa" in state["stacks"], "the environment goes last"
    assert destroyer.checkout / "stacks" / "Pulumi.qa.search.yaml" in files, "files go when all stacks are gone"
    assert destroyer.whole() == 0
    state, files = ending_of(destroyer)
    assert state["stacks"] == {}
    assert not [path for path in files if path.name.startswith("Pulumi.qa")]


def command(turn: Path) -> str:
    """Stack and command of a process of the fake engine that waits for its turn."""
    return turn.name.rpartition(" ")[0]


def test_after_a_signal_no_other_stack_is_destroyed(destroyer: Reaper) -> None:
    turns = destroyer.checkout / "turns"
    turns.mkdir()
    held = {"qa.payments destroy", "qa.search destroy"}
    with tempfile.TemporaryFile("w+") as errors, destroyer.start(errors, FAKE_TURNS=str(turns)) as child:
        while not held <= {command(turn) for turn in turns.iterdir()}:
            assert child.poll() is None
            for turn in turns.iterdir():
                # A stack may be faster: its deletion waits, so that the signal finds no command that would not get it.
                if command(turn) not in held:
                    turn.unlink()
            time.sleep(0.005)
        child.send_signal(signal.SIGTERM)  # a shell may start tests with SIGINT ignored
        assert child.wait() != 0
        errors.seek(0)
        assert "Traceback" not in errors.read()
    shutil.rmtree(turns)
    state, _ = ending_of(destroyer)
    assert state["stacks"].keys() == {"qa", "qa.payments", "qa.search"}
    assert destroyer.whole() == 0
    assert ending_of(destroyer)[0]["stacks"] == {}
