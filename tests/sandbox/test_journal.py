"""What a process that serves the providers notes, and what is left of it when it dies."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from support.simulation import providers

from atwork.sandbox.journal import CallJournal, unfinished

URN = "urn:pulumi:ci::atwork::gcp:compute/network:Network::vpc"
_DIES = """
import os, sys
from pathlib import Path
from atwork.sandbox.journal import CallJournal
CallJournal(Path(sys.argv[1])).record(sys.argv[2])
os.kill(os.getpid(), 9)
"""


def test_the_dead_leave_their_notes_and_the_living_are_left_alone(tmp_path: Path) -> None:
    living = CallJournal(tmp_path)
    living.record(URN.replace("vpc", "other"))
    done = subprocess.run([sys.executable, "-c", _DIES, str(tmp_path), URN], check=False)
    assert done.returncode == -signal.SIGKILL
    [left] = unfinished(tmp_path, "ci")
    assert left.urns == {URN}
    assert unfinished(tmp_path, "c") == []
    living.close()
    assert list(tmp_path.iterdir()) == [left.path]


def test_a_line_that_was_cut_off_was_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "ci.1.a").write_text(f"{URN}\n{URN[:-2]}")
    assert unfinished(tmp_path, "ci")[0].urns == {URN}


def test_a_file_that_was_just_opened_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ci.1.a").touch()
    assert unfinished(tmp_path, "ci") == []


def test_changes_are_noted_and_previews_and_reads_are_not(tmp_path: Path) -> None:
    with providers(tmp_path / "cloud.sqlite") as served:
        google = served["gcp"]
        # The cluster around the tests is the first note.
        [notes] = (tmp_path / "running").iterdir()
        before = notes.read_text()
        google.create("gcp:compute/network:Network", "planned", {"name": "planned"}, preview=True)
        google.read("gcp:compute/network:Network", "planned", "planned")
        assert notes.read_text() == before
        google.create("gcp:compute/network:Network", "vpc", {"name": "vpc"})
        assert notes.read_text() == f"{before}{google.urn('gcp:compute/network:Network', 'vpc')}\n"
    assert list((tmp_path / "running").iterdir()) == []
