"""Without the extra `sandbox`: everything else works, and the sandbox says what to install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import copy
from support.fake_engine import FakeBackend

from atwork.sandbox.installed import EXTRA

_HIDDEN = f"import sys; sys.modules.update(dict.fromkeys({EXTRA!r})); "
_MAIN = "from atwork.cli import main; main()"
_IMPORT_ALL = """
import importlib, pkgutil
import atwork, components, infra, policies
for package in (atwork, components, infra, policies):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""
_ENGINE = """
import json, pathlib, sys
words = sys.argv[1:]
if words[0] == "preview":
    summary = {"resourceChanges": {"same": 2}, "durationSeconds": 1, "policyPacks": {}}
    events = [{"summaryEvent": summary}, {"cancelEvent": {}}]
    pathlib.Path(words[words.index("--event-log") + 1]).write_text("".join(f"{json.dumps(event)}\\n" for event in events))
    sys.exit()
"""


def run(program: str, *words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key != "PULUMI_BACKEND_URL"}
    return subprocess.run(
        [sys.executable, "-c", _HIDDEN + program, *words],
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [("sandbox", "up"), ("sandbox", "status"), ("preview", "ci")])
def test_the_sandbox_says_in_one_line_what_to_install(words: tuple[str, ...], tmp_path: Path) -> None:
    backend = FakeBackend(tmp_path)
    result = run(
        _MAIN,
        *words,
        cwd=copy(tmp_path / "checkout"),
        ATWORK_PULUMI=str(backend.program),
        FAKE_BACKEND=str(backend.path),
    )
    expected = "error: the sandbox needs kubernetes and trustme: run `make setup`, or `pip install 'atwork[sandbox]'`\n"
    assert (result.returncode, result.stderr[-len(expected) :]) == (1, expected)


def test_a_preview_of_a_real_stack_needs_no_sandbox(tmp_path: Path) -> None:
    backend = FakeBackend(tmp_path)
    backend.add("ci")
    engine = tmp_path / "engine"
    rest = f"import os\nos.execv({str(backend.program)!r}, [{str(backend.program)!r}, *words])\n"
    engine.write_text(f"#!{sys.executable} -SE\n{_ENGINE}{rest}")
    engine.chmod(0o755)
    result = run(
        _MAIN,
        "preview",
        "ci",
        "--format",
        "json",
        cwd=copy(tmp_path / "checkout"),
        ATWORK_PULUMI=str(engine),
        PULUMI_BACKEND_URL=f"file://{tmp_path}",
        FAKE_BACKEND=str(backend.path),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    [report] = json.loads(result.stdout)
    assert (report["stack"], report["result"]) == ("ci", "unchanged")


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    result = run(_IMPORT_ALL, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
