"""The secrets that bootstrap makes before the first update: values come in, are checked, and show nowhere."""

from __future__ import annotations

import json
import os
import pty
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from support import bootstrapping
from support.bootstrapping import Account
from support.google import error

from atwork.environments.bootstrap import values as module
from atwork.environments.bootstrap.google_errors import GoogleError
from atwork.environments.bootstrap.run import bootstrap
from atwork.environments.bootstrap.values import SecretValues, checked
from atwork.errors import ConfigError, UsageError
from components.expected_secrets import ExpectedSecret
from components.jenkins import names
from infra.config import read_all

CI = "acme-at-work-ci"
TEXTS = {
    "jenkins-oidc-client-id": "client-1",
    "jenkins-oidc-client-secret": "planted-oidc-secret",
    "jenkins-github-app-id": "4711",
    "jenkins-github-reports-id": "4712",
    "jenkins-github-webhook": "planted-webhook-secret",
    "jenkins-slack-token": "xoxb-planted",
}

KEYS = ("jenkins-github-app-key", "jenkins-github-reports-key")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All values of ci, as people store them: with a line break at the end, and the key in GitHub's format."""
    values = tmp_path / "values"
    values.mkdir()
    for name, text in TEXTS.items():
        (values / name).write_text(f"{text}\n")
    for name in KEYS:
        (values / name).write_text(bootstrapping.private_key())
    return values


def run(account: Account, folder: Path | None, *, resume: bool = False) -> int:
    os.environ["ATWORK_PULUMI"] = str(bootstrapping.engine(account.checkout, account.endpoint))
    return bootstrap(
        account.checkout,
        "ci",
        resume=resume,
        dry_run=False,
        secrets=folder,
        login=lambda: bootstrapping.google(account.endpoint),
    )


@pytest.fixture
def ci(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Ci's project is there and paid for; nothing asks on a terminal."""
    account.fake.state.billing[CI] = "billingAccounts/01AB23-CD45EF-678901"
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        yield account


def versions(account: Account, name: str) -> list[dict[str, str]]:
    return account.fake.state.secrets[f"projects/{CI}/secrets/{name}"]["versions"]


def test_every_expected_secret_gets_its_value_and_none_is_printed(
    ci: Account, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(ci, folder) == 0
    expected = {secret.name for secret in read_all(ci.checkout / "stacks")["ci"].expected_secrets()}
    assert {name.rpartition("/")[2] for name in ci.fake.state.secrets} == expected
    stored = {name: versions(ci, name)[0]["data"] for name in expected}
    assert {name: stored[name] for name in TEXTS} == TEXTS
    assert len(stored["jenkins-admin-password"]) >= 32
    assert stored["jenkins-github-app-key"].startswith("-----BEGIN PRIVATE KEY-----")
    printed = "".join(capsys.readouterr())
    journal = "".join(path.read_text() for path in ci.checkout.rglob("*.jsonl"))
    assert "secret-jenkins-admin-password" in journal
    for value in stored.values():
        assert value not in printed + journal + "".join(target for _, target in ci.fake.requests)
    assert "values that are missing" not in printed


def test_a_second_run_changes_nothing(ci: Account, folder: Path) -> None:
    run(ci, folder)
    before, changes = json.dumps(ci.fake.state.secrets), len(ci.fake.changes)
    assert run(ci, folder) == 0
    assert json.dumps(ci.fake.state.secrets) == before
    assert not [change for change in ci.fake.changes[changes:] if "secret" in change[1]]


def test_what_nobody_has_yet_is_named_with_its_command(ci: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ci, None) == 0
    printed = capsys.readouterr().out
    for name in (*TEXTS, *KEYS):
        assert versions(ci, name) == []
        assert f"gcloud secrets versions add {name} --project={CI} --data-file=-" in printed
    assert len(versions(ci, "jenkins-admin-password")) == 1
    assert "versions add jenkins-admin-password" not in printed


@pytest.mark.parametrize("fault", ["before it begins", "after its first change", "before it is noted"])
def test_a_run_that_was_killed_at_a_secret_goes_on(ci: Account, fault: str) -> None:
    assert bootstrapping.killed(ci.checkout, ci.endpoint, "secret-jenkins-admin-password", fault, name="ci") == -9
    assert run(ci, None, resume=True) == 0
    assert [version["state"] for version in versions(ci, "jenkins-admin-password")] == ["ENABLED"]


def test_places_of_copies_are_those_of_the_stack_file(ci: Account, folder: Path) -> None:
    file = ci.checkout / "stacks" / "Pulumi.ci.yaml"
    file.write_text(
        file.read_text().replace("    registry:\n", "    secrets: {replicas: [europe-west4]}\n    registry:\n", 1)
    )
    run(ci, folder)
    (replication,) = {json.dumps(secret["replication"]) for secret in ci.fake.state.secrets.values()}
    assert json.loads(replication) == {"userManaged": {"replicas": [{"location": "europe-west4"}]}}


def test_a_version_that_somebody_disabled_is_not_replaced(ci: Account, folder: Path) -> None:
    run(ci, folder)
    versions(ci, "jenkins-slack-token")[0]["state"] = "DISABLED"
    with pytest.raises(
        GoogleError, match=r"jenkins-slack-token has version 1 as its latest, which is disabled; enable"
    ):
        run(ci, folder)
    assert len(versions(ci, "jenkins-slack-token")) == 1


def test_without_the_right_to_create_secrets_the_error_names_the_role(ci: Account, folder: Path) -> None:
    ci.fake.fail("POST", r"/secrets$", error(403, "Permission 'secretmanager.secrets.create' denied"))
    with pytest.raises(GoogleError, match=f"ask for roles/secretmanager.admin on {CI}"):
        run(ci, folder)


def test_a_file_that_holds_no_value_stops_before_anything_is_added(ci: Account, folder: Path) -> None:
    (folder / "jenkins-oidc-client-secret").write_text("\n")
    with pytest.raises(ConfigError, match=r"jenkins-oidc-client-secret: is empty; put the client secret"):
        run(ci, folder)
    assert versions(ci, "jenkins-oidc-client-secret") == []
    (folder / "jenkins-oidc-client-secret").write_text("now there")
    assert run(ci, folder, resume=True) == 0


def test_a_folder_that_is_none(ci: Account) -> None:
    with pytest.raises(UsageError, match=r"--secrets .*nowhere: not a folder"):
        run(ci, ci.checkout / "nowhere")


KEY = ExpectedSecret("app-key", "private key of the app", names.CONTROLLER_NAMESPACE, ("a",), value="private key")
TEXT = ExpectedSecret("token", "token of the bot", names.CONTROLLER_NAMESPACE, ("a",))


@pytest.mark.parametrize("encrypted", [False, True])
def test_what_jenkins_cannot_read_as_a_key_is_refused(encrypted: bool) -> None:  # noqa: FBT001 - both cases
    text = "no key"
    if encrypted:
        key = serialization.load_pem_private_key(bootstrapping.private_key().encode(), None)
        cipher = serialization.BestAvailableEncryption(b"passphrase")
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher).decode()
    with pytest.raises(ConfigError, match=r"^key\.pem: not a PEM private key without a passphrase") as raised:
        checked(KEY, text, "key.pem")
    assert text not in str(raised.value)


ASKS = """
from atwork.environments.bootstrap.values import SecretValues
from components.expected_secrets import ExpectedSecret
raise SystemExit(SecretValues(None)(ExpectedSecret("token", "token of the bot", "n", ("a",))) != "hush")
"""


def test_what_is_typed_does_not_show() -> None:
    """On a real terminal: what the other end reads back is the question alone."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", ASKS])  # noqa: S606 - a process of its own on the terminal
    shown = b""
    with suppress(OSError):  # the other end is closed when the process has ended
        while b"later)" not in shown:
            shown += os.read(terminal, 1024)
        os.write(terminal, b"hush\n")
        while more := os.read(terminal, 1024):
            shown += more
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
    assert b"token of the bot" in shown
    assert b"hush" not in shown


@pytest.mark.parametrize(("typed", "value"), [("", None), ("  ", None), ("hush\n", "hush")])
def test_an_empty_answer_leaves_it_for_later(monkeypatch: pytest.MonkeyPatch, typed: str, value: str | None) -> None:
    monkeypatch.setattr(module.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(module, "getpass", lambda _: typed)
    assert SecretValues(None)(TEXT) == value


def test_a_key_is_asked_for_by_its_file_until_there_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "key.pem"
    file.write_text(bootstrapping.private_key())
    answers = iter([str(tmp_path / "none.pem"), str(file)])
    monkeypatch.setattr(module.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert (SecretValues(None)(KEY) or "").startswith("-----BEGIN PRIVATE KEY-----")
    assert "none.pem: file not found" in capsys.readouterr().out
