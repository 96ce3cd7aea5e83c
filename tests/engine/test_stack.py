"""How an operation is started, followed and interrupted, with a program in the place of the engine."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.fake_engine import FakeBackend

from atwork.engine.backend import Backend
from atwork.engine.runner import EngineFailed
from atwork.engine.stack import EVENTS_PREFIX

PROGRAM = """#!{python}
import json, os, signal, sys
words = sys.argv[1:]
if "init" in words:
    print("error: no access to the key", file=sys.stderr)
    sys.exit(255)
received = []
signal.signal(signal.SIGINT, lambda *_: received.append(1))
signal.signal(signal.SIGTERM, lambda *_: received.append(100))
print("working", os.getpgid(0) == os.getpid(), flush=True)
if "up" in words:
    open("ready", "w").close()
if "--event-log" in words:
    urn = "urn:pulumi:ci::atwork::gcp:storage/bucket:Bucket::state"
    with open(words[words.index("--event-log") + 1], "w") as log:
        print(json.dumps({{"resourcePreEvent": {{"metadata": {{"urn": urn}}}}}}), file=log)
with open(os.environ["TURN"]) as turn:
    turn.read()
with open("received", "w") as file:
    file.write(str(sum(received)))
"""


class Folder(Backend):
    """A backend whose engine is the program above; it ends when a test writes to `turn`."""

    @classmethod
    def create(cls, folder: Path) -> Folder:
        os.mkfifo(folder / "turn")
        os.mkfifo(folder / "ready")
        program = folder / "pulumi"
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        return cls(url="", program=program, project=folder, events_folder=folder)

    @property
    def turn(self) -> Path:
        return self.project / "turn"

    @contextmanager
    def environment(self) -> Generator[dict[str, str]]:
        yield {**os.environ, "TURN": str(self.turn)}

    def deployment(self, stack: str) -> Mapping[str, Any] | None:
        return {}

    def upstream(self, stack: str) -> str | None:
        return None

    @property
    def received(self) -> int:
        """Signals that the engine got: 1 for each SIGINT, 100 for each SIGTERM."""
        return int((self.project / "received").read_text())

    def end(self) -> None:
        """Let the engine end."""
        self.turn.write_text("")


@pytest.fixture
def backend(tmp_path: Path) -> Folder:
    return Folder.create(tmp_path)


def interrupt_and_end(backend: Folder) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=backend.end, daemon=True).start()


def test_events_are_followed_while_the_engine_works_and_deleted_afterwards(backend: Folder) -> None:
    reached: list[str] = []

    def on_resource(_outcome: object, name: str) -> None:
        reached.append(name)
        assert list(backend.project.glob(f"{EVENTS_PREFIX}*")) != []
        threading.Thread(target=backend.end, daemon=True).start()

    outcome = backend.stack("ci").refresh(on_resource=on_resource)
    assert (outcome.code, outcome.errors, reached) == (0, [], ["state"])
    assert list(backend.project.glob(f"{EVENTS_PREFIX}*")) == []


def test_a_signal_reaches_the_engine_once_and_nothing_begins_after_it(backend: Folder) -> None:
    before = signal.getsignal(signal.SIGTERM)
    codes: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        codes.append(backend.stack("ci").refresh(on_resource=lambda *_: interrupt_and_end(backend)).code)
    assert codes == []
    assert backend.received == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_update_in_a_terminal_gets_a_note_of_its_process_and_one_signal(
    backend: Folder, capfd: pytest.CaptureFixture[str]
) -> None:
    notes: list[str] = []

    @contextmanager
    def noted(pid: int) -> Generator[None]:
        os.kill(pid, 0)
        (backend.project / "ready").read_text()
        notes.append("begin")
        interrupt_and_end(backend)
        yield
        notes.append("end")

    with pytest.raises(KeyboardInterrupt):
        backend.stack("ci").up_in_terminal(noted)
    assert notes == ["begin"], "a run that is interrupted leaves its note"
    assert backend.received == 1
    assert capfd.readouterr().out == "working True\n", "in a process group of its own"


def test_a_command_that_fails_says_which_and_why(backend: Folder) -> None:
    with pytest.raises(EngineFailed, match="pulumi stack init ci: error: no access to the key"):
        backend.stack("ci").create(secrets_provider="gcpkms://key")


def test_stacks_and_tags_are_those_of_the_backend(tmp_path: Path) -> None:
    fake = FakeBackend(tmp_path)
    fake.add("demo")
    backend = fake.backend()
    assert backend.stacks() == {"demo": 1}
    stack = backend.stack("demo")
    stack.set_tag("atwork:destroying", "now")
    assert stack.tags() == {"atwork:destroying": "now"}
    stack.set_tag("atwork:destroying", "")
    assert stack.tags() == {}
