"""The rehearsals of the runbooks, typed into a shell as a reader would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from runbooks.rehearsal import commands, failures
from runbooks.test_pages import PAGES
from support.checkout import copy

from atwork.sandbox.home import Home

pytestmark = pytest.mark.engine
_MADE_ANEW = ("workspace", "bin")
"""Parts of a sandbox that name the folder it is in."""


def shell(home: Home, line: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(home.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", line],
        cwd=home.checkout,
        env={**os.environ, **home.environment(), "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A checkout whose sandbox has what the pages bring up first, so that each of them finds nothing left to make."""
    home = Home(copy(tmp_path_factory.mktemp("runbooks"), "infra", "policies"))
    home.prepare()
    done = shell(home, "atwork sandbox up ci staging")
    assert done.returncode == 0, done.stdout
    return home


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_rehearsal_of_a_page_goes_as_it_says(page: Path, up: Home, tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    shutil.copytree(up.checkout, folder, symlinks=True)
    home = Home(folder)
    for part in _MADE_ANEW:
        shutil.rmtree(home.folder / part)
    home.prepare()
    for command in commands(page):
        done = shell(home, command.line)
        assert failures(command, done.returncode, done.stdout) == [], f"{page.name}: $ {command.line}\n{done.stdout}"
