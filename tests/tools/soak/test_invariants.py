"""Each invariant of the soak reports what breaks it."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from atwork.sandbox.journal import CallJournal
from atwork.sandbox.provider.values import secret
from atwork.sandbox.state_files import state_file
from infra.config import read_all
from tools.soak import invariants, project
from tools.soak.actions import ACTIONS
from tools.soak.life import SoakEnvironment
from tools.soak.run import choose

NETWORK = "gcp:compute/network:Network"


def urn(name: str) -> str:
    return f"urn:pulumi:alpha::atwork::{NETWORK}::{name}"


class Pair:
    """A state and a cloud with given content."""

    def __init__(self, folder: Path) -> None:
        self.home, self.resources, self.pending = Home(folder), [], []
        self.resources: list[dict[str, Any]]
        self.pending: list[dict[str, Any]]
        self.cloud = Cloud(self.home.cloud)

    def in_state(self, name: str, /, **inputs: Any) -> None:
        resource = {"urn": urn(name), "id": name, "type": NETWORK, "custom": True, "inputs": inputs, "outputs": inputs}
        self.resources.append(resource)
        self.write()

    def in_cloud(self, name: str, /, **inputs: Any) -> None:
        self.cloud.create(CloudObject("", NETWORK, name, urn(name), inputs, inputs), set())

    def write(self) -> None:
        path = state_file(self.home, "alpha")
        path.parent.mkdir(parents=True, exist_ok=True)
        latest = {"resources": self.resources, "pending_operations": self.pending}
        path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))

    def disagreements(self, *drifted: str) -> list[str]:
        lines = invariants.disagreements(self.home, "alpha", [urn(name) for name in drifted])
        return [line.replace(urn("n"), "n") for line in lines]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_equal_state_and_cloud_have_no_disagreements(pair: Pair) -> None:
    pair.in_state("n", name="n", key=secret("cipher of the state"))
    pair.in_cloud("n", name="n", key=secret("cipher of the cloud"))
    assert pair.disagreements() == []


def test_an_orphan_a_ghost_and_a_difference_are_reported(pair: Pair) -> None:
    pair.in_cloud("n")
    assert pair.disagreements() == ["orphan: n (n) is in the cloud and not in the state"]
    pair.cloud.delete("", NETWORK, "n")
    pair.in_state("n", name="n", mtu=1460)
    assert pair.disagreements() == ["ghost: n (n) is in the state and not in the cloud"]
    pair.in_cloud("n", name="n", mtu=1500)
    assert pair.disagreements() == [
        "difference: n: input mtu is 1460 in the state and 1500 in the cloud",
        "difference: n: output mtu is 1460 in the state and 1500 in the cloud",
    ]


def test_only_what_a_kill_left_or_the_soak_did_is_excused(pair: Pair) -> None:
    pair.in_cloud("n")
    pair.in_cloud("other")
    assert len(pair.disagreements("n")) == 1
    pair.pending = [{"type": "creating", "resource": {"urn": urn("n")}}]
    pair.write()
    assert len(pair.disagreements()) == 1
    running = CallJournal(pair.home.running)
    running.record(urn("other"))
    assert len(pair.disagreements()) == 1, "a running process excuses nothing"
    (pair.home.running / "alpha.1.a").write_text(f"{urn('other')}\n")
    assert pair.disagreements() == []
    running.close()


def test_what_a_removal_left_in_an_instance_is_found(pair: Pair) -> None:
    for name in ("left", "kept"):
        pair.cloud.create(CloudObject("", "gcp:sql/user:User", f"{name}@acme-alpha.iam//main", "", {}, {}), set())
    pair.in_state("kept@acme-alpha.iam//main")
    assert invariants.left_in_instances(pair.home, "alpha", "acme-alpha") == ["left@acme-alpha.iam//main"]
    assert invariants.left_in_instances(pair.home, "alpha", "acme-beta") == []


def test_an_update_that_partly_failed_keeps_its_old_inputs_in_the_state(pair: Pair) -> None:
    pair.in_state("n", max=7)
    pair.in_cloud("n", max=2)
    pair.resources[0] |= {"initErrors": ["not ready"], "outputs": {"max": 2}}
    pair.write()
    assert pair.disagreements() == []
    pair.resources[0]["outputs"] = {"max": 7}
    pair.write()
    assert pair.disagreements() == ["difference: n: output max is 7 in the state and 2 in the cloud"]


def test_a_secret_in_clear_is_reported_in_every_file(tmp_path: Path) -> None:
    home, seen = Home(tmp_path), dict[Path, invariants.Stamp]()
    home.prepare()

    def files_with_secrets() -> list[str]:
        secrets = ["planted-value", home.passphrase.read_text()]
        return invariants.secrets_in_clear(invariants.changed_files(home, seen), secrets)

    assert files_with_secrets() == []
    log = home.folder / "logs" / "provider.log"
    log.write_text("token planted-value")
    assert files_with_secrets() == [str(log)]
    assert files_with_secrets() == [], "the file did not change"
    log.write_bytes(b"\0" + base64.b64encode(b"planted-value"))
    assert files_with_secrets() == [str(log)]
    log.write_text(home.passphrase.read_text())
    assert files_with_secrets() == [str(log)]
    database = home.cloud.with_name("cloud.sqlite-wal")
    database.write_text("planted-value")
    assert (files_with_secrets(), files_with_secrets()) == ([str(database)], [str(database)])


def test_files_that_a_killed_engine_left_are_reported(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = home.state / ".pulumi" / "stacks" / "atwork"
    folder.mkdir(parents=True)
    for name in ("alpha.json", "alpha.json.attrs", "alpha.json.18a.tmp"):
        (folder / name).touch()
    after = [path.name for path in invariants.unfinished_files(home, after_kill=True)]
    assert after == ["alpha.json.attrs"]
    assert len(list(invariants.unfinished_files(home, after_kill=False))) == 2


def test_every_action_runs_in_a_short_soak_with_any_seed() -> None:
    for seed in range(300):
        chance, tried = random.Random(seed), set[str]()
        environments = [SoakEnvironment(name, {}, up=True) for name in project.STACKS]
        for _ in range(25):
            action, environment = choose(chance, environments, tried)
            assert action.possible(environment)
            tried.add(action.name)
            if action.name.startswith("kill") or action.name == "lock":
                environment.interrupted = True
            elif action.name in ("repair", "change"):
                environment.interrupted, environment.up = False, True
            elif action.name == "destroy":
                environment.up = False
        assert tried == {action.name for action in ACTIONS}, f"seed {seed}"


def test_every_edit_results_in_valid_stack_files(tmp_path: Path) -> None:
    home = project.make(tmp_path)
    chance = random.Random(7)
    settings = {name: project.settings(number, name) for number, name in enumerate(project.STACKS)}
    for number in range(40):
        name = chance.choice(project.STACKS)
        before = yaml.safe_dump(settings[name])
        settings[name], change = (project.grown if number % 2 else project.edited)(settings[name], chance)
        assert yaml.safe_dump(settings[name]) != before or "the owner is" in change or "pods" in change
        for stack in project.STACKS:
            project.save(home, stack, settings[stack])
        assert set(read_all(tmp_path / "stacks")) == set(project.STACKS)


def test_a_file_that_is_gone_has_no_secret(tmp_path: Path) -> None:
    """A folder in place of a file is a problem of the search."""
    written = tmp_path / "log"
    written.write_text("planted-value")
    assert invariants.secrets_in_clear([tmp_path / "gone", written], ["planted-value"]) == [str(written)]
    with pytest.raises(RuntimeError, match=r"grep ended with 2: .*: Is a directory"):
        invariants.secrets_in_clear([tmp_path], ["planted-value"])
