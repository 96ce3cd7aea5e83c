"""`make packages`, and how tests treat a machine without its programs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import programs
from support.checkout import ROOT

from atwork.toolchain import machine

APT = """#!/bin/sh
echo "apt-get $*" >> "$LOG"
case "$*" in
  *install*) [ -n "$BROKEN" ] && exit 100; echo > "$BIN/runc"; /bin/chmod +x "$BIN/runc";;
  *) exit 100;;
esac
"""


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with stubs of all programs but runc, which its apt-get installs; its mirror has no index."""
    for name in (*machine.PROGRAMS, "env", "apt-get"):
        if name != "runc":
            (tmp_path / name).write_text('#!/bin/sh\nshift\nexec "$@"\n' if name == "env" else APT)
            (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(machine, "_PATH", str(tmp_path))
    for key, value in {"PATH": str(tmp_path), "BIN": str(tmp_path), "LOG": str(tmp_path / "log")}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return tmp_path


def test_missing_programs_are_named_with_the_reason_and_installed(
    bare: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert machine.main() == 0
    assert "  runc: runc, for containers of pipelines and of their tests\n" in capfd.readouterr().out
    calls = (bare / "log").read_text().splitlines()
    assert calls[-1] == "apt-get --quiet install --yes --no-install-recommends runc"
    assert machine.main() == 0
    assert "All programs are installed" in capfd.readouterr().out
    assert (bare / "log").read_text().splitlines() == calls


def test_a_failure_of_apt_get_is_one_line(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BROKEN", "1")
    assert machine.main() == 1
    assert capfd.readouterr().err == "apt-get ended with 100: install runc by hand\n"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert machine.main() == 1
    assert capfd.readouterr().err == "only root may install packages: run `make packages` as root\n"
    (bare / "apt-get").unlink()
    assert machine.main() == 1
    assert capfd.readouterr().err == ("this system has no apt-get: install runc with its own package manager\n")


def test_it_needs_no_package_of_python() -> None:
    """`make packages` runs before `make setup`."""
    command = [sys.executable, "-ISc", "import sys; sys.path.insert(0, '.'); import atwork.toolchain.machine"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_package_that_a_message_names_is_installed_by_make_packages() -> None:
    sources = [path for folder in ("atwork", "tests") for path in (ROOT / folder).rglob("*.py")]
    named = {
        name
        for path in sources
        if path != Path(__file__)
        for words in re.findall(r"apt-get install ([a-z0-9 .+-]+)", path.read_text())
        for name in words.split()
    }
    assert named <= {program.package for program in machine.PROGRAMS.values()}


def test_a_test_without_its_program_is_skipped_or_fails_in_ci(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(programs.VARIABLE, raising=False)
    with pytest.raises(pytest.skip.Exception, match="runc is missing: run `make packages`"):
        programs.need("git", "runc")
    monkeypatch.setenv(programs.VARIABLE, "required")
    with pytest.raises(pytest.fail.Exception, match="runc is missing: run `make packages`"):
        programs.need("git", "runc")
    programs.need("git")


def test_ci_requires_the_programs() -> None:
    text = (ROOT / ".ci" / "run").read_text()
    assert f"export {programs.VARIABLE}=required" in text
    assert text.index("make packages") < text.index("\nmake test")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
