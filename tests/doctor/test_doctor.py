"""`atwork doctor`: each problem has a line with its fix."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from rich.console import Console
from support import bootstrapping, checkout
from support.bootstrapping import Account
from support.google import FakeGoogle, served
from typer.testing import CliRunner

from atwork.cli import app
from atwork.doctor import machine, packages
from atwork.doctor.show import run
from atwork.engine.build import PULUMI
from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import GoogleError
from atwork.environments.preflight.check import Check
from atwork.errors import UsageError
from atwork.sandbox.installed import EXTRA

BUCKET = "gs://acme-at-work-admin-state"


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setenv("ATWORK_PULUMI", "")
    for name in (*machine.MISLEADING, "PULUMI_BACKEND_URL"):
        monkeypatch.delenv(name, raising=False)
    fake = bootstrapping.opened_account(FakeGoogle())
    copy = checkout.copy(tmp_path, "requirements")
    bootstrapping.created(copy / "stacks" / "Pulumi.staging.yaml")
    with served(fake) as endpoint:
        yield Account(copy, fake, endpoint)


def printed(account: Account, name: str = "", *, logged_in: bool = True) -> tuple[int, str]:
    def login() -> Google:
        if not logged_in:
            raise GoogleError("no login: there are no credentials; run `gcloud auth application-default login`")
        return bootstrapping.google(account.endpoint)

    out = io.StringIO()
    code = run(account.checkout, name, login=login, console=Console(file=out, width=200, highlight=False))
    return code, out.getvalue()


def line(text: str, name: str) -> str:
    """The line of a check, and the line with its fix."""
    lines = text.splitlines()
    at = next(index for index, item in enumerate(lines) if item[1:].strip().startswith(name))
    return " ".join([lines[at], *(item for item in lines[at + 1 : at + 2] if "→" in item)])


def checks(checkout_: Path, *, real: bool = False, bucket: str = BUCKET) -> dict[str, Check]:
    return {item.name: item for item in machine.checks(checkout_, real=real, bucket=bucket)}


def test_without_a_login_the_account_is_not_checked(account: Account) -> None:
    _, text = printed(account, "staging", logged_in=False)
    assert "there are no credentials" in line(text, "login")
    assert "→ run `gcloud auth application-default login`" in line(text, "login")
    for name in ("admin project", "state bucket", "KMS key", "CPU quota"):
        assert "· " in line(text, name)
        assert "not checked: no login" in line(text, name)
    assert account.fake.requests == []


def test_an_account_with_nothing_in_it(account: Account) -> None:
    code, text = printed(account)
    assert code == 1
    assert "✖" in line(text, "admin project")
    assert "→ atwork environment bootstrap NAME" in line(text, "admin project")
    assert "acme-at-work-admin-state does not exist yet" in line(text, "state bucket")


def test_an_environment_after_its_bootstrap(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    for zone in ("b", "c", "d"):
        account.fake.state.machines[f"europe-west1-{zone}"] = {"e2-standard-2": 2, "e2-standard-4": 4}
    account.fake.state.regions["europe-west1"] = {
        "quotas": [{"metric": "CPUS", "limit": 72, "usage": 0}],
        "zones": [f"zones/europe-west1-{item}" for item in ("b", "c", "d")],
    }
    _, text = printed(account, "staging")
    for name in ("login", "billing", "project", "state bucket", "KMS key", "machine types", "CPU quota"):
        assert "✔" in line(text, name), text
    assert "! " in line(text, "APIs")
    assert "`pulumi up` enables them" in line(text, "APIs")
    # Only staging is bootstrapped.
    assert "✔" in line(text, "stack files")
    code, text = printed(account)
    assert code == 1
    assert "stacks/Pulumi.ci.yaml: secretsprovider is missing" in line(text, "stack files")
    assert "run `atwork environment bootstrap ci`" in line(text, "stack files")
    assert "✔" in line(text, "admin APIs")


def test_jenkins_that_github_cannot_call(account: Account) -> None:
    code, text = printed(account)
    assert line(text, "pushes").split()[1:] == ["pushes", "GitHub", "calls", "Jenkins"]
    ci = account.checkout / "stacks" / "Pulumi.ci.yaml"
    content = ci.read_text()
    without = re.sub(r"^      gateway: \{\}.*\n", "", content, flags=re.MULTILINE)
    assert without != content
    ci.write_text(without)
    code_without, text = printed(account)
    assert code_without == code
    assert line(text, "pushes").startswith("!")
    assert "jenkins.gateway: missing, so that no call of GitHub reaches Jenkins" in line(text, "pushes")


def test_an_api_of_the_admin_project_that_is_off(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    account.fake.state.services["acme-at-work-admin"].remove("cloudkms.googleapis.com")
    _, text = printed(account)
    assert "→ gcloud services enable cloudkms.googleapis.com --project acme-at-work-admin" in line(text, "admin APIs")


def test_no_platform_settings(account: Account) -> None:
    (account.checkout / "stacks" / "platform.yaml").unlink()
    assert "→ docs/bootstrap.md" in line(printed(account)[1], "platform")


def test_an_unknown_environment(account: Account) -> None:
    with pytest.raises(UsageError, match=r"stacks/Pulumi.demo.yaml: file not found; there are ci, production"):
        printed(account, "demo")


def test_packages_at_other_versions(account: Account) -> None:
    pins = account.checkout / "requirements" / "run.txt"
    assert checks(account.checkout)["packages"].ok
    pins.write_text(pins.read_text().replace("pyyaml==", "pyyaml==0.") + "nowhere-to-be-found==1.0 \\\n")
    check = checks(account.checkout)["packages"]
    assert not check.ok
    assert "instead of 0." in check.detail
    assert "nowhere-to-be-found nothing instead of 1.0" in check.detail
    assert check.fix == "make setup"


@pytest.mark.parametrize("reason", ["installed", "used", "neither"])
def test_packages_of_the_sandbox(account: Account, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    """They count where a package of the extra is installed, and where the checkout has a sandbox."""
    pins = account.checkout / "requirements" / "sandbox.txt"
    pins.write_text(pins.read_text().replace("oauthlib==", "oauthlib==0."))
    if reason != "installed":

        def version(name: str) -> str:
            if name in EXTRA:
                raise PackageNotFoundError(name)
            return metadata.version(name)

        monkeypatch.setattr(packages, "version", version)
    if reason == "used":
        (account.checkout / ".sandbox").mkdir()
    check = checks(account.checkout)["packages"]
    assert check.ok is (reason == "neither")
    assert ("oauthlib " in check.detail) is (reason != "neither")
    assert ("kubernetes nothing instead of " in check.detail) is (reason == "used")


def test_pins_of_other_machines_do_not_count() -> None:
    text = 'a==1 \\\n    --hash=x\nb==2 ; sys_platform == "win32" \\\nc==3 ; python_version >= "3.11" \\\n'
    assert packages.pins(text) == {"a": "1", "c": "3"}


@pytest.mark.parametrize("name", [*machine.MISLEADING, "PULUMI_BACKEND_URL"])
def test_misleading_variables(account: Account, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert checks(account.checkout)["variables"].ok
    monkeypatch.setenv(name, "elsewhere")
    check = checks(account.checkout)["variables"]
    assert check.bad
    assert check.detail.startswith(name)
    assert check.fix == f"unset {name}"
    monkeypatch.delenv(name)
    monkeypatch.setenv("PULUMI_BACKEND_URL", BUCKET)
    assert checks(account.checkout)["variables"].ok


def test_tools_that_are_missing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(account.checkout))
    results = checks(account.checkout, real=True)
    assert results["git"].bad
    assert results["gke-gcloud-auth-plugin"].bad
    assert results["gke-gcloud-auth-plugin"].fix == "gcloud components install gke-gcloud-auth-plugin"
    assert not results["gcloud"].bad
    assert results["Go"].ok
    assert not checks(account.checkout, real=False)["gke-gcloud-auth-plugin"].bad


def test_a_tool_that_does_not_run(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = account.checkout / "git"
    broken.write_text("#!/bin/sh\necho no such thing >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{account.checkout}:{os.environ['PATH']}")
    check = checks(account.checkout)["git"]
    assert check.bad
    assert "does not run: no such thing" in check.detail


def test_engines(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATWORK_PULUMI", str(bootstrapping.engine(account.checkout, "")))
    assert checks(account.checkout)["engine"].detail.startswith(f"{PULUMI.version()}, ")
    monkeypatch.setenv("ATWORK_PULUMI", str(tmp_path / "nowhere"))
    assert checks(account.checkout)["engine"].bad
    monkeypatch.setenv("ATWORK_PULUMI", "")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("ATWORK_CACHE", str(tmp_path / "cache"))
    check = checks(account.checkout)["engine"]
    assert (check.ok, check.needed) == (False, False)


def test_python_and_disk(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    results = checks(account.checkout)
    assert results["Python"].ok
    assert results["cache"].ok
    monkeypatch.setattr(machine, "OLDEST", (sys.version_info.major, sys.version_info.minor + 1))
    monkeypatch.setattr(machine, "DISK_GB", 10**6)
    results = checks(account.checkout)
    assert "make setup PYTHON=" in results["Python"].fix
    assert results["Python"].bad
    assert "free 1000000 GB" in results["cache"].fix


def test_the_command_prints_the_table(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(account.checkout)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account.checkout / "none.json"))
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code in (0, 1)
    assert "this machine" in result.output
    assert "no login" in result.output
