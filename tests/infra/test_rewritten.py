"""Pulumi's own commands in a checkout: they save the stack file, and its dates stay what they were."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from support.checkout import copy

from atwork.engine.build import ensure
from atwork.sandbox.home import Home
from atwork.sandbox.session import opened
from infra import CONFIG_KEY

pytestmark = pytest.mark.engine
Pulumi = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = copy(tmp_path / "checkout", "infra", "policies")
    project = folder / "Pulumi.yaml"
    document = yaml.safe_load(project.read_text())
    document["runtime"]["options"]["virtualenv"] = sys.prefix
    project.write_text(yaml.safe_dump(document))
    return folder


@pytest.fixture
def pulumi(checkout: Path) -> Iterator[Pulumi]:
    """The real engine in the checkout itself, with the simulated providers and a passphrase."""
    home = Home(checkout)
    with opened(home, ensure(Console(stderr=True))) as session, session.environment() as environment:

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [str(session.engine.path), *words, "--non-interactive"],
                cwd=checkout,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                input=home.passphrase.read_text(),  # `change-secrets-provider` reads the new one there
            )

        yield run


def settings(checkout: Path) -> tuple[str, dict[str, object]]:
    text = (checkout / "stacks" / "Pulumi.ci.yaml").read_text()
    return text, yaml.safe_load(text)["config"][CONFIG_KEY]


def test_commands_that_save_a_stack_file_leave_its_dates(checkout: Path, pulumi: Pulumi) -> None:
    before = settings(checkout)[1]
    commands = (
        ("stack", "init", "ci", "--no-select"),
        ("config", "set", "--stack", "ci", "--path", f"{CONFIG_KEY}.environment.owner", "team-other"),
        ("stack", "change-secrets-provider", "passphrase", "--stack", "ci"),
    )
    for words in commands:
        done = pulumi(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    text, after = settings(checkout)
    assert "encryptionsalt" in text, "the engine has written the file"
    assert after == {**before, "environment": {"kind": "long-lived", "owner": "team-other"}}
    assert before["policies"] is not None
    assert 'expires: "2027-06-30"' in text
    done = pulumi("preview", "--stack", "ci", "--policy-pack", str(Home(checkout).workspace / "policies"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_date_without_quotes_is_refused_after_pulumi_has_rewritten_it(checkout: Path, pulumi: Pulumi) -> None:
    file = checkout / "stacks" / "Pulumi.ci.yaml"
    file.write_text(file.read_text().replace('"2027-06-30"', "2027-06-30"))
    assert pulumi("stack", "init", "ci", "--no-select").returncode == 0
    assert "2027-06-30 00:00:00 +0000 UTC" in file.read_text()
    done = pulumi("preview", "--stack", "ci", "--policy-pack", str(Home(checkout).workspace / "policies"))
    output = done.stdout + done.stderr
    assert done.returncode != 0
    line = file.read_text().splitlines().index("          expires: 2027-06-30 00:00:00 +0000 UTC") + 1
    assert f"stacks/Pulumi.ci.yaml:{line}: config.atwork:stack.policies.exemptions." in output
    assert 'Pulumi has rewritten a date that was not in quotes; write "2027-06-30" (a date) or' in output
    assert "Traceback" not in output
    assert "Exception calling application" not in output
