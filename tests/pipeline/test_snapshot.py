"""What a run builds: the last commit with the changes of files that git tracks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from atwork.errors import UsageError
from atwork.pipeline.run import snapshot


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "stock"
    folder.mkdir()
    (folder / "Jenkinsfile").write_text("servicePipeline()\n")
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for words in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message=Create"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def built(repository: Path, target: Path) -> str:
    source = snapshot(repository, target, "")
    command = ["git", "show", f"{source.branch}:Jenkinsfile"]
    return subprocess.run(command, cwd=source.repository, capture_output=True, text=True, check=True).stdout


def test_a_change_that_is_not_committed_is_built(repository: Path, tmp_path: Path) -> None:
    (repository / "Jenkinsfile").write_text("servicePipeline(name: 'stock')\n")
    assert built(repository, tmp_path / "copy.git") == "servicePipeline(name: 'stock')\n"


def test_a_file_that_was_saved_without_a_change_is_built(repository: Path, tmp_path: Path) -> None:
    os.utime(repository / "Jenkinsfile", (0, 0))
    assert built(repository, tmp_path / "copy.git") == "servicePipeline()\n"


def test_a_folder_that_is_no_repository_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository with a commit: fatal: not a git repository"):
        snapshot(tmp_path, tmp_path / "copy.git", "")
