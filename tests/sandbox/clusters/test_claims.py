"""Claims of namespaces whose pods a command runs as containers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from atwork.errors import SandboxError
from atwork.sandbox.clusters import claims

STOCK = ("staging", "stock")


def test_a_claim_lasts_as_long_as_the_command(tmp_path: Path) -> None:
    assert claims.claimed(tmp_path) == frozenset()
    with claims.claim(tmp_path, [STOCK]):
        assert claims.claimed(tmp_path) == {STOCK}
    assert claims.claimed(tmp_path) == frozenset()


def test_a_second_command_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_CLAIM_SECONDS", 0)
    refused = pytest.raises(SandboxError, match="another command runs the pods of this sandbox; wait until it ends")
    with claims.claim(tmp_path, [STOCK]), refused, claims.claim(tmp_path, [STOCK]):
        pass


def test_a_killed_command_has_no_claims(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time; from atwork.sandbox.clusters.claims import claim\n"
        "with claim(pathlib.Path(sys.argv[1]), [('staging', 'stock')]): print(1, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert claims.claimed(tmp_path) == {STOCK}
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert claims.claimed(tmp_path) == frozenset()
