"""The workflows of docs/external-ci.md: correct, pinned, and with the identities that the page names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.checkout import ROOT
from support.pages import DOCS, blocks
from support.workflows import actionlint, unpinned, zizmor

BLOCKS = blocks(DOCS / "external-ci.md")
WORKFLOWS = {block.text.splitlines()[0].removeprefix("# "): block.text for block in BLOCKS if block.language == "yml"}
OWN = "".join(path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml"))


def jobs() -> dict[str, dict[str, Any]]:
    return {name: job for text in WORKFLOWS.values() for name, job in yaml.safe_load(text)["jobs"].items()}


def identities() -> dict[str, str]:
    """The principals of `external_ci` in the page by their last part, a GitHub environment."""
    (settings,) = (
        document["external_ci"]
        for document in (yaml.safe_load(block.text) for block in BLOCKS if block.language == "yaml")
        if "external_ci" in document
    )
    members = [*settings["builders"].values(), *(deploy["releases"] for deploy in settings["deploys"].values())]
    return {member.rpartition("/")[2]: member for member in members}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with the workflows."""
    for path, text in WORKFLOWS.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    shutil.copy(ROOT / ".github" / "zizmor.yml", tmp_path / ".github")
    (tmp_path / ".git").mkdir()
    return tmp_path / ".github" / "workflows"


def test_there_are_two_workflows() -> None:
    assert list(WORKFLOWS) == [".github/workflows/deliver.yml", ".github/workflows/deploy.yml"]


def test_actionlint_finds_nothing(folder: Path) -> None:
    assert actionlint(sorted(folder.iterdir())) == ""


def test_zizmor_finds_nothing(folder: Path) -> None:
    assert zizmor(folder) == ""


def test_every_action_is_pinned_and_this_repository_uses_the_same_commits() -> None:
    for text in WORKFLOWS.values():
        assert unpinned(text) == []
        for action, commit in re.findall(r"uses: ([\w-]+/[\w-]+)@(\w+)", text):
            assert {commit} >= set(re.findall(rf"uses: {action}@(\w+)", OWN)), action


def test_every_job_logs_in_as_an_identity_of_the_settings() -> None:
    used = {job["environment"] for job in jobs().values() if "environment" in job} - {"${{ inputs.environment }}"}
    used |= {job["with"]["environment"] for job in jobs().values() if "with" in job}
    assert used == set(identities())
    for name, job in jobs().items():
        assert job["permissions"]["id-token"] == "write", name
    pool = next(iter(identities().values())).partition("iam.googleapis.com/")[2].partition("/attribute.")[0]
    assert f"`{pool}/providers/github`" in (DOCS / "external-ci.md").read_text()


def test_only_deploys_use_an_account() -> None:
    logins = {
        name: step["with"].get("service_account", "")
        for name, job in jobs().items()
        for step in job.get("steps", ())
        if "google-github-actions/auth@" in step.get("uses", "")
    }
    assert logins == {"build": "", "deploy": "platform-deployer@${{ vars.PROJECT }}.iam.gserviceaccount.com"}
