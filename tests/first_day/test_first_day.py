"""The commands of docs/first-day.md: bootstrap against a fake Google Cloud, stacks on the real engine, one deploy."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from runbooks.rehearsal import commands, failures
from support.checkout import ROOT, copy
from support.google import FakeGoogle, served

from atwork.engine.build import ensure
from atwork.environments.bootstrap import google
from atwork.sandbox.clusters.choice import Choice, ClusterKind
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import Home

PAGE = ROOT / "docs" / "first-day.md"
ORGANIZATION = "482915370164"
BILLING_ACCOUNT = "01AB23-CD45EF-678901"
PARTS = ("infra", "policies", "delivery", "requirements")


def empty_organization() -> FakeGoogle:
    """An organization with an open billing account, a region and its machine types, and nothing else."""
    simulated = FakeGoogle()
    simulated.state.accounts[BILLING_ACCOUNT] = True
    zones = [f"europe-west1-{letter}" for letter in "bcd"]
    quotas = [{"metric": metric, "limit": 1000, "usage": 0} for metric in ("CPUS", "N2_CPUS")]
    simulated.state.regions["europe-west1"] = {"quotas": quotas, "zones": [f"zones/{zone}" for zone in zones]}
    machines = {"e2-standard-2": 2, "e2-standard-4": 4, "e2-standard-8": 8, "n2-standard-8": 8}
    simulated.state.machines |= dict.fromkeys(zones, machines)
    return simulated


def script(folder: Path, name: str, module: str) -> None:
    """Write a program that runs a module of this folder."""
    path = folder / name
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name(module)} "$@"\n')
    path.chmod(0o755)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A checkout after step 1, whose sandbox will have real API servers."""
    home = Home(copy(tmp_path / "at-work", *PARTS))
    (home.checkout / ".venv").symlink_to(sys.prefix)
    home.prepare()
    Choice(ClusterKind.real).keep(home.folder, empty=True)
    yield home
    fleet = fleet_of(home)
    if fleet is not None:
        fleet.stop()


@pytest.fixture
def environment(home: Home, helm: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Variables of the shell, in which `gcloud` and `pulumi stack init` use an empty fake Google Cloud."""
    programs = tmp_path / "bin"
    programs.mkdir()
    script(programs, "gcloud", "gcloud.py")
    script(programs, "pulumi", "engine.py")
    path = [programs, helm.parent, Path(sys.executable).parent, os.environ["PATH"]]
    with served(empty_organization()) as endpoint:
        yield {
            **{key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "ATWORK_"))},
            "PATH": os.pathsep.join(map(str, path)),
            "COLUMNS": "200",
            "HELM_CACHE_HOME": str(tmp_path / "helm"),
            "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),  # no credentials of this machine
            "NO_GCE_CHECK": "true",
            "FIRST_DAY_GOOGLE": endpoint,
            "FIRST_DAY_LOGIN": str(tmp_path / "login"),
            "FIRST_DAY_ENGINE": str(ensure(Console(stderr=True)).path),
            "FIRST_DAY_SANDBOX_PULUMI": str(home.folder / "bin" / "pulumi"),
        }


class Shell:
    """The shell for the page: exports and the login at Google apply to all later steps."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._exports: list[str] = []

    def run(self, line: str) -> tuple[int, str]:
        """Run a command; return its exit code and its output."""
        if line.startswith("export "):
            self._exports.append(line)
        environment = self._environment
        if Path(environment["FIRST_DAY_LOGIN"]).exists():
            environment = {**environment, google.ENDPOINT: environment["FIRST_DAY_GOOGLE"]}
        done = subprocess.run(
            ["bash", "-c", "\n".join([*self._exports, line])],
            cwd=self._folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.mark.engine
def test_the_commands_of_the_page_work_and_show_what_it_says(home: Home, environment: dict[str, str]) -> None:
    shell = Shell(home.checkout, environment)
    for command in commands(PAGE):
        code, printed = shell.run(command.line)
        assert failures(command, code, printed) == [], f"$ {command.line}\n{printed}"


def test_every_command_that_is_not_rehearsed_has_a_reason() -> None:
    text = PAGE.read_text()
    real = text.count("```console real\n")
    assert real == len(re.findall(r"^```console real\n(?:(?!```).*\n)+```\n\n\*Not rehearsed: .+", text, re.MULTILINE))
    assert real <= 2


def test_every_step_has_a_check() -> None:
    steps = re.split(r"^## (?=\d+\. )", PAGE.read_text(), flags=re.MULTILINE)[1:]
    assert len(steps) == 9
    assert [step.splitlines()[0] for step in steps if "**Check.**" not in step] == []
