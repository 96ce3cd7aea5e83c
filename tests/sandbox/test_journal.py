"""The journal of a process that serves the providers: what it records, and what remains after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from support.simulation import providers

from atwork.sandbox.journal import CallJournal, unfinished

URN = "urn:pulumi:ci::atwork::gcp:compute/network:Network::vpc"
_KILLED = """
import os, sys
from pathlib import Path
from atwork.sandbox.journal import CallJournal
CallJournal(Path(sys.argv[1])).record(sys.argv[2])
os.kill(os.getpid(), 9)
"""


def test_the_calls_of_killed_processes_are_unfinished_and_those_of_running_ones_are_not(tmp_path: Path) -> None:
    running = CallJournal(tmp_path)
    running.record(URN.replace("vpc", "other"))
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), URN], check=False)
    assert done.returncode == -signal.SIGKILL
    [left] = unfinished(tmp_path, "ci")
    assert left.urns == {URN}
    assert unfinished(tmp_path, "c") == []
    running.close()
    assert list(tmp_path.iterdir()) == [left.path]


def test_an_incomplete_line_is_no_call(tmp_path: Path) -> None:
    (tmp_path / "ci.1.a").write_text(f"{URN}\n{URN[:-2]}")
    assert unfinished(tmp_path, "ci")[0].urns == {URN}


def test_an_empty_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "ci.1.a").touch()
    assert unfinished(tmp_path, "ci") == []


def test_changes_are_recorded_and_previews_and_reads_are_not(tmp_path: Path) -> None:
    with providers(tmp_path / "cloud.sqlite") as served:
        google = served["gcp"]
        # The fixture created a cluster.
        [journal] = (tmp_path / "running").iterdir()
        before = journal.read_text()
        google.create("gcp:compute/network:Network", "planned", {"name": "planned"}, preview=True)
        google.read("gcp:compute/network:Network", "planned", "planned")
        assert journal.read_text() == before
        google.create("gcp:compute/network:Network", "vpc", {"name": "vpc"})
        assert journal.read_text() == f"{before}{google.urn('gcp:compute/network:Network', 'vpc')}\n"
    assert list((tmp_path / "running").iterdir()) == []
