"""The soak's checks can fail: each is shown what it is there to find."""

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
from tools.soak.life import Environment
from tools.soak.run import choose

NETWORK = "gcp:compute/network:Network"


def urn(name: str) -> str:
    return f"urn:pulumi:alpha::atwork::{NETWORK}::{name}"


class Pair:
    """A state and a cloud that are written by hand."""

    def __init__(self, folder: Path) -> None:
        self.home, self.kept, self.pending = Home(folder), [], []
        self.kept: list[dict[str, Any]]
        self.pending: list[dict[str, Any]]
        self.cloud = Cloud(self.home.cloud)

    def in_state(self, name: str, /, **inputs: Any) -> None:
        one = {"urn": urn(name), "id": name, "type": NETWORK, "custom": True, "inputs": inputs, "outputs": inputs}
        self.kept.append(one)
        self.write()

    def in_cloud(self, name: str, /, **inputs: Any) -> None:
        self.cloud.create(CloudObject("", NETWORK, name, urn(name), inputs, inputs), set())

    def write(self) -> None:
        path = state_file(self.home, "alpha")
        path.parent.mkdir(parents=True, exist_ok=True)
        latest = {"resources": self.kept, "pending_operations": self.pending}
        path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))

    def found(self, *behind: str) -> list[str]:
        told = invariants.disagreements(self.home, "alpha", [urn(name) for name in behind])
        return [line.replace(urn("n"), "n") for line in told]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_what_agrees_is_nothing(pair: Pair) -> None:
    pair.in_state("n", name="n", key=secret("cipher of the state"))
    pair.in_cloud("n", name="n", key=secret("cipher of the cloud"))
    assert pair.found() == []


def test_an_orphan_a_ghost_and_a_difference_are_found(pair: Pair) -> None:
    pair.in_cloud("n")
    assert pair.found() == ["orphan: n (n) is in the cloud and not in the state"]
    pair.cloud.delete("", NETWORK, "n")
    pair.in_state("n", name="n", mtu=1460)
    assert pair.found() == ["ghost: n (n) is in the state and not in the cloud"]
    pair.in_cloud("n", name="n", mtu=1500)
    assert pair.found() == [
        "difference: n: input mtu is 1460 in the state and 1500 in the cloud",
        "difference: n: output mtu is 1460 in the state and 1500 in the cloud",
    ]


def test_only_what_a_kill_left_or_the_soak_did_is_excused(pair: Pair) -> None:
    pair.in_cloud("n")
    pair.in_cloud("other")
    assert len(pair.found("n")) == 1
    pair.pending = [{"type": "creating", "resource": {"urn": urn("n")}}]
    pair.write()
    assert len(pair.found()) == 1
    living = CallJournal(pair.home.running)
    living.record(urn("other"))
    assert len(pair.found()) == 1, "a process that lives excuses nothing"
    (pair.home.running / "alpha.1.a").write_text(f"{urn('other')}\n")
    assert pair.found() == []
    living.close()


def test_a_secret_in_clear_is_found_wherever_it_is(tmp_path: Path) -> None:
    home, seen = Home(tmp_path), dict[Path, invariants.Stamp]()
    home.prepare()

    def found() -> list[str]:
        secrets = ["planted-value", home.passphrase.read_text()]
        return invariants.secrets_in_clear(invariants.changed_files(home, seen), secrets)

    assert found() == []
    log = home.folder / "logs" / "provider.log"
    log.write_text("token planted-value")
    assert found() == [str(log)]
    assert found() == [], "it is as it was"
    log.write_bytes(b"\0" + base64.b64encode(b"planted-value"))
    assert found() == [str(log)]
    log.write_text(home.passphrase.read_text())
    assert found() == [str(log)]
    database = home.cloud.with_name("cloud.sqlite-wal")
    database.write_text("planted-value")
    assert (found(), found()) == ([str(database)], [str(database)])


def test_files_that_a_killed_engine_left_are_found(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = home.state / ".pulumi" / "stacks" / "atwork"
    folder.mkdir(parents=True)
    for name in ("alpha.json", "alpha.json.attrs", "alpha.json.18a.tmp"):
        (folder / name).touch()
    after = [path.name for path in invariants.unfinished_files(home, after_kill=True)]
    assert after == ["alpha.json.attrs"]
    assert len(list(invariants.unfinished_files(home, after_kill=False))) == 2


def test_every_kind_of_step_occurs_in_a_short_soak_whatever_the_seed() -> None:
    for seed in range(300):
        chance, tried = random.Random(seed), set[str]()
        environments = [Environment(name, {}, up=True) for name in project.STACKS]
        for _ in range(25):
            action, environment = choose(chance, environments, tried)
            assert action.able(environment)
            tried.add(action.name)
            if action.name.startswith("kill") or action.name == "lock":
                environment.cut_off = True
            elif action.name in ("repair", "change"):
                environment.cut_off, environment.up = False, True
            elif action.name == "destroy":
                environment.up = False
        assert tried == {one.name for one in ACTIONS}, f"seed {seed}"


def test_every_walk_stays_within_what_stack_files_may_say(tmp_path: Path) -> None:
    home = project.make(tmp_path)
    chance = random.Random(7)
    now = {name: project.settings(number, name) for number, name in enumerate(project.STACKS)}
    for number in range(40):
        name = chance.choice(project.STACKS)
        before = yaml.safe_dump(now[name])
        now[name], told = (project.grown if number % 2 else project.edited)(now[name], chance)
        assert yaml.safe_dump(now[name]) != before or "belongs to" in told or "pods" in told
        for stack in project.STACKS:
            project.save(home, stack, now[stack])
        assert set(read_all(tmp_path / "stacks")) == set(project.STACKS)
