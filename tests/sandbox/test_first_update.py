"""From an empty project to a ready controller: bootstrap against a fake Google Cloud, then plain updates of ci.

The sandbox does not simulate bootstrap here: Secret Manager has the secrets that bootstrap created.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console
from support import bootstrapping
from support.checkout import copy
from support.google import FakeGoogle, served

from atwork.engine.build import ensure
from atwork.environments.bootstrap.run import bootstrap
from atwork.sandbox.bootstrap_secrets import add_version, create
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home
from atwork.sandbox.session import Session, opened
from atwork.sandbox.state_files import deployment
from components.expected_secrets import ExpectedSecret
from infra.config import read_all

pytestmark = pytest.mark.engine

CI = "acme-at-work-ci"
TOKEN = f"projects/{CI}/secrets/jenkins-slack-token"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(copy(tmp_path / "checkout", "infra", "policies"))


@contextmanager
def session(home: Home) -> Generator[Session]:
    with opened(home, ensure(Console(stderr=True)), bootstrapped=False) as opened_session:
        opened_session.ensure_stack("ci")
        yield opened_session


def pulumi(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    with session(home) as sandbox, sandbox.environment() as environment:
        return subprocess.run(
            [str(sandbox.program), *words, "--non-interactive"],
            cwd=sandbox.project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def up(home: Home) -> subprocess.CompletedProcess[str]:
    """The first update in docs/first-day.md: `pulumi up -s ci`."""
    return pulumi(home, "up", "-s", "ci", "--yes", "--skip-preview")


def bootstrapped(home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGoogle:
    """Bootstrap the project of ci, which exists and has a billing account, with one missing secret value."""
    fake = bootstrapping.opened_account(FakeGoogle())
    fake.state.billing[CI] = "billingAccounts/01AB23-CD45EF-678901"
    folder.mkdir()
    for name in ("oidc-client-id", "oidc-client-secret", "github-app-id", "github-reports-id", "github-webhook"):
        (folder / f"jenkins-{name}").write_text(f"{name}\n")
    for name in ("github-app-key", "github-reports-key"):
        (folder / f"jenkins-{name}").write_text(bootstrapping.private_key())
    with served(fake) as endpoint, monkeypatch.context() as patched, Path(os.devnull).open() as nothing:
        patched.setattr("sys.stdin", nothing)
        patched.setenv("ATWORK_PULUMI", str(bootstrapping.engine(folder, endpoint)))
        bootstrap(
            home.checkout,
            "ci",
            resume=False,
            dry_run=False,
            secrets=folder,
            login=lambda: bootstrapping.google(endpoint),
        )
    return fake


def copy_secrets(home: Home, fake: FakeGoogle) -> None:
    """Copy the secrets that bootstrap created, and their values, into the simulated cloud."""
    cloud = Cloud(home.cloud)
    for name, created in fake.state.secrets.items():
        _, project, _, short = name.split("/")
        value = created["versions"][-1]["data"] if created["versions"] else None
        create(cloud, ExpectedSecret(short, "", "jenkins", ("jenkins",)), project, value)


def test_from_an_empty_project_to_a_ready_controller(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = up(home)
    assert done.returncode != 0
    # The engine stops at the first missing secret, in no fixed order.
    assert re.search(r"secrets/jenkins-[a-z-]+' was not found", done.stdout), done.stdout

    fake = bootstrapped(home, tmp_path / "values", monkeypatch)
    assert f"gcloud secrets versions add jenkins-slack-token --project={CI}" in capsys.readouterr().out
    expected = read_all(home.checkout / "stacks")["ci"].expected_secrets()
    assert set(fake.state.secrets) == {secret.resource(CI) for secret in expected}
    copy_secrets(home, fake)

    done = up(home)
    assert done.returncode != 0, done.stdout
    assert "jenkins/jenkins was created, but failed to initialize completely: context deadline exceeded" in done.stdout
    assert f"Secret Version [{TOKEN}/versions/latest] not found" in done.stdout
    assert done.stdout.count("MountVolume.SetUp failed") == 1

    add_version(Cloud(home.cloud), TOKEN, 1, "xoxb-1")
    done = up(home)
    assert done.returncode == 0, done.stdout + done.stderr
    resources = deployment(home, "ci")["resources"]
    assert isinstance(resources, list)
    (release,) = (each for each in resources if each["type"] == "kubernetes:helm.sh/v3:Release")
    assert not release.get("initErrors")
    assert release["outputs"]["status"]["status"] == "deployed"
    again = pulumi(home, "preview", "-s", "ci", "--expect-no-changes")
    assert again.returncode == 0, again.stdout
