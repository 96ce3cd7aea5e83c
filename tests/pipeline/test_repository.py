"""Which service a folder is, and what a run builds: the last commit with the changes of files that git tracks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from atwork.errors import UsageError
from atwork.pipeline.repository import identify, snapshot
from infra.services import ServiceEnvironmentSettings, ServiceSettings


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


STOCK = ServiceSettings(
    owner="team-stock",
    repository="https://github.com/acme/Stock-API.git",
    channel="#team-stock",
    environments={"staging": ServiceEnvironmentSettings()},
)
JENKINSFILE = "@Library('platform') _\nservicePipeline(name: 'stock', context: 'api')\n"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/stock-api",
        "https://github.com/acme/stock-api.git/",
        "git@github.com:acme/Stock-API.git",
        "ssh://git@github.com/acme/stock-api",
    ],
)
def test_the_remote_says_which_service_it_is(repository: Path, url: str) -> None:
    subprocess.run(["git", "remote", "add", "origin", url], cwd=repository, check=True)
    known = identify(repository, {"stock": STOCK})
    assert (known.name.lower(), known.service) == ("stock-api", "stock")


def test_a_fork_is_another_repository(repository: Path) -> None:
    (repository / "Jenkinsfile").write_text(JENKINSFILE)
    subprocess.run(["git", "remote", "add", "origin", "https://github.com/ada/stock-fork"], cwd=repository, check=True)
    known = identify(repository, {"stock": STOCK})
    assert (known.name, known.service) == ("stock-fork", "stock-fork")


def test_without_a_remote_the_jenkinsfile_says_it(repository: Path) -> None:
    (repository / "Jenkinsfile").write_text(JENKINSFILE)
    known = identify(repository.rename(repository.with_name("work")), {"stock": STOCK})
    assert (known.name, known.service) == ("Stock-API", "stock")


def test_without_either_the_folder_says_it(repository: Path) -> None:
    known = identify(repository, {})
    assert (known.name, known.service) == ("stock", "stock")


def test_the_dockerfile_is_in_the_context_of_the_pipeline(repository: Path) -> None:
    (repository / "Jenkinsfile").write_text(JENKINSFILE)
    (repository / "api").mkdir()
    (repository / "api" / "Dockerfile").write_text("FROM python:3.13\n")
    (repository / "Dockerfile").write_text("FROM other\n")
    assert identify(repository, {"stock": STOCK}).dockerfiles == "FROM python:3.13\n"


def test_a_folder_without_a_jenkinsfile_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no Jenkinsfile; `atwork service check"):
        identify(tmp_path, {})
