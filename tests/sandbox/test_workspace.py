"""The project folder that the engine gets in the sandbox, the lock, the shim, and files that a kill truncated."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from filelock import FileLock, Timeout

import atwork.sandbox.home
from atwork.errors import ConfigError, SandboxError, UsageError
from atwork.files import replace_file
from atwork.sandbox import shim, workspace
from atwork.sandbox.home import Home, here
from atwork.sandbox.state_files import deployment, state_file
from atwork.sandbox.waves import waves_of

STACK = "config:\n  atwork:stack: {upstream: ci, when: '2027-01-31T18:00:00Z'}\nsecretsprovider: gcpkms://k\nencryptedkey: abc\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "Pulumi.yaml").write_text(
        "name: atwork\nmain: infra/\nstackConfigDir: stacks\nruntime: {name: python, options: {virtualenv: .venv}}\n"
    )
    (tmp_path / "infra").mkdir()
    (tmp_path / "stacks").mkdir()
    for name, content in {"ci": "config: {}\n", "staging": STACK, "zoo": STACK, "alpha": "config: {}\n"}.items():
        (tmp_path / "stacks" / f"Pulumi.{name}.yaml").write_text(content)
    return Home(tmp_path)


def test_the_engine_gets_copies_without_the_real_key(home: Home) -> None:
    workspace.write(home)
    copy = home.workspace / "stacks" / "Pulumi.staging.yaml"
    assert yaml.safe_load(copy.read_text()) == {
        "config": {"atwork:stack": {"upstream": "ci", "when": "2027-01-31T18:00:00Z"}}
    }
    assert (home.workspace / "infra").resolve() == home.checkout / "infra"


def test_the_salt_of_a_copy_is_kept_and_the_stack_file_is_not_changed(home: Home) -> None:
    workspace.write(home)
    copy = home.workspace / "stacks" / "Pulumi.staging.yaml"
    copy.write_text("encryptionsalt: v1:abc\n" + copy.read_text())
    workspace.write(home)
    assert yaml.safe_load(copy.read_text())["encryptionsalt"] == "v1:abc"
    assert (home.checkout / "stacks" / "Pulumi.staging.yaml").read_text() == STACK


def test_the_engine_gets_the_platform_file(home: Home) -> None:
    file, copy = (folder / "stacks" / "platform.yaml" for folder in (home.checkout, home.workspace))
    workspace.write(home)
    assert not copy.exists()
    for text in ("location: europe-west1\n", "location: europe-west4\n"):
        file.write_text(text)
        workspace.write(home)
        assert copy.read_text() == text
    file.unlink()
    workspace.write(home)
    assert not copy.exists()


def test_a_deleted_stack_file_deletes_its_copy(home: Home) -> None:
    workspace.write(home)
    (home.checkout / "stacks" / "Pulumi.zoo.yaml").unlink()
    workspace.write(home)
    assert home.project.stack_names() == ["alpha", "ci", "staging"]
    assert not (home.workspace / "stacks" / "Pulumi.zoo.yaml").exists()


def test_environments_come_after_their_upstream(home: Home) -> None:
    assert waves_of(home.project, home.project.stack_names()) == [["alpha", "ci"], ["staging", "zoo"]]
    (home.checkout / "stacks" / "Pulumi.ci.yaml").write_text("config: {'atwork:stack': {upstream: staging}}\n")
    with pytest.raises(ConfigError, match="depend on each other in a cycle"):
        waves_of(home.project, home.project.stack_names())


def test_a_stack_file_that_is_not_yaml_is_reported(home: Home) -> None:
    (home.checkout / "stacks" / "Pulumi.zoo.yaml").write_text("config: [\n")
    with pytest.raises(ConfigError, match=r"stacks/Pulumi\.zoo\.yaml:\d+: not YAML"):
        workspace.write(home)
    (home.checkout / "stacks" / "Pulumi.zoo.yaml").write_text(STACK.replace("'", ""))
    with pytest.raises(
        ConfigError, match=r"stacks/Pulumi\.zoo\.yaml:2: config\.atwork:stack\.when: a date without quotes"
    ):
        workspace.write(home)


def test_a_stack_without_a_file_is_reported(home: Home) -> None:
    with pytest.raises(
        UsageError, match=r"stacks/Pulumi\.nope\.yaml: file not found; there are alpha, ci, staging, zoo"
    ):
        home.project.selected(["nope"])


def test_the_error_of_a_second_command_names_the_first(home: Home) -> None:
    with (
        home.locked("atwork sandbox up"),
        pytest.raises(SandboxError, match=rf"`atwork sandbox up` \(pid {os.getpid()}, since .* is running"),
        home.locked("atwork sandbox down"),
    ):
        pytest.fail("two commands held the lock")
    with home.locked("atwork sandbox down"):
        assert (home.folder / "lock").exists()


def test_the_exports_are_quoted_for_a_shell(home: Home) -> None:
    quoted = Home(home.checkout.rename(home.checkout.with_name("it's here")))
    quoted.prepare()
    lines = "\n".join(f"export {key}={shlex.quote(value)}" for key, value in quoted.environment().items())
    done = subprocess.run(
        ["sh", "-c", f'{lines}\nprintf %s "$PULUMI_BACKEND_URL"'], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"file://{quoted.state}?metadata=skip"
    assert quoted.passphrase.stat().st_mode & 0o777 == 0o600


def test_only_one_command_at_a_time_writes_the_files_that_every_engine_reads(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two `pulumi` commands may start at the same time, and both write these files through the same temporary file."""
    locked: list[bool] = []

    def watched(path: Path, text: str, *, mode: int | None = None) -> None:
        try:
            with FileLock(home.folder / "preparing", timeout=0):
                locked.append(False)
        except Timeout:
            locked.append(True)
        replace_file(path, text, mode=mode)

    for module in (atwork.sandbox.home, workspace):
        monkeypatch.setattr(module, "replace_file", watched)
    home.prepare()
    workspace.write(home)
    assert locked == [True] * 7, "passphrase, pulumi, Pulumi.yaml and four stack files"


def test_the_checkout_around_the_working_directory_is_used(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.checkout / "infra")
    assert here() == home
    monkeypatch.chdir("/")
    with pytest.raises(UsageError, match="change into a checkout of atwork"):
        here()


def secrets_salt(home: Home, stack: str, salt: str) -> None:
    path = state_file(home, stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    latest = {"secrets_providers": {"type": "passphrase", "state": {"salt": salt}}}
    path.write_text(json.dumps({"checkpoint": {"latest": latest}}))


@pytest.mark.parametrize("left", ["", "encryptionsalt: [", "config: {}\n", "a word"])
def test_a_truncated_stack_file_gets_its_salt_from_the_state(home: Home, left: str) -> None:
    workspace.write(home)
    copy = home.workspace / "stacks" / "Pulumi.staging.yaml"
    complete = copy.read_text()
    secrets_salt(home, "staging", "v1:abc")
    copy.write_text(left)
    workspace.write(home)
    assert copy.read_text() == f"encryptionsalt: v1:abc\n{complete}"
    # The state is read only if the file has no salt: both have the same, and the file is faster to read.
    secrets_salt(home, "staging", "v1:other")
    workspace.write(home)
    assert yaml.safe_load(copy.read_text())["encryptionsalt"] == "v1:abc"


def test_an_empty_passphrase_is_created_again_and_another_is_kept(home: Home) -> None:
    home.folder.mkdir()
    home.passphrase.touch()
    home.prepare()
    passphrase = home.passphrase.read_text()
    assert len(passphrase) > 20
    home.prepare()
    assert home.passphrase.read_text() == passphrase


def test_the_error_of_a_damaged_state_names_file_and_fix(home: Home) -> None:
    assert deployment(home, "ci") == {}
    path = state_file(home, "ci")
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 3, "checkpo')
    with pytest.raises(SandboxError, match=r"atwork/ci\.json: damaged .*`atwork sandbox reset`"):
        deployment(home, "ci")


def test_relative_paths_in_options_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shim.absolute(["preview", "-s", "ci", "--event-log", "out.json", "--policy-pack=./policies", "--diff"]) == [
        "preview",
        "-s",
        "ci",
        "--event-log",
        f"{tmp_path}/out.json",
        f"--policy-pack={tmp_path}/policies",
        "--diff",
    ]


@pytest.mark.parametrize("words", [["config", "set", "a", "b", "-s", "ci"], ["config", "--stack=ci", "rm", "a"]])
def test_a_write_to_a_copied_stack_file_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError, match=r"edit stacks/Pulumi\.ci\.yaml"):
        shim.refuse_writes(words)


def test_reading_configuration_is_not_refused() -> None:
    shim.refuse_writes(["config", "get", "a", "-s", "ci"])
    shim.refuse_writes(["preview", "-s", "ci"])
