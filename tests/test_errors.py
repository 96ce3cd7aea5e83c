"""Errors that a user can fix end a command with one message and exit code 1."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from atwork import cli
from atwork.engine.locate import EngineError
from atwork.environments.bootstrap.google_errors import GoogleError
from atwork.environments.ending import DestroyError
from atwork.errors import AccessError, BackendError, ConfigError, SandboxError, UsageError, UserError, reported
from atwork.github.errors import GitHubError
from atwork.github.pull_request import GitError
from atwork.locks.store import StoreError
from atwork.report.slack import SlackError
from atwork.sandbox import shim
from atwork.toolchain.gobuild import BuildError

BACKEND = (EngineError, GoogleError, GitHubError, DestroyError, SlackError, StoreError)
OTHER = (AccessError, BuildError, ConfigError, GitError, SandboxError, UsageError)


@pytest.mark.parametrize("kind", [BackendError, *BACKEND, *OTHER], ids=lambda kind: kind.__name__)
def test_each_error_of_the_user_is_one_message(kind: type[UserError], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, reported():
        raise kind("stacks/Pulumi.ci.yaml: region: missing; add it")
    assert ended.value.code == 1
    assert capsys.readouterr() == ("", "error: stacks/Pulumi.ci.yaml: region: missing; add it\n")
    assert issubclass(kind, BackendError) == (kind not in OTHER)


def test_a_defect_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(KeyError), reported():
        raise KeyError("region")
    with pytest.raises(PermissionError), reported():
        raise PermissionError(errno.EACCES, "Permission denied", "/etc/file")


def test_a_full_disk_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^1$"), reported():
        Path("/dev/full").write_text("x")
    message = "the disk is full; free some space, or set TMPDIR to a folder of another disk\n"
    assert capsys.readouterr().err.endswith(f": {message}")
    with pytest.raises(SystemExit, match=r"^1$"), reported():
        raise OSError(errno.ENOSPC, "No space left on device", "/work/state.json")
    assert capsys.readouterr().err == f"error: /work/state.json: {message}"


def test_the_command_and_the_sandbox_pulumi_report_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["atwork", "environment", "list"])
    with pytest.raises(SystemExit, match=r"^1$"):
        cli.main()
    assert capsys.readouterr().err.endswith("change into a checkout of atwork\n")
    monkeypatch.setattr(sys, "argv", ["pulumi", str(tmp_path), "config", "set", "a", "b", "--stack", "ci"])
    with pytest.raises(SystemExit, match=r"^1$"):
        shim.main()
    assert capsys.readouterr().err.startswith("error: the sandbox reads the stack files and never writes them")
