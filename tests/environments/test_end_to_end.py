"""Ephemeral environments on the real engine: the life of one, five at once with different services, and an interrupted deletion."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.checkout import copy
from support.environments import PLACE, ends_in
from support.processes import kill_in_call

from atwork.engine.urn import stack_of
from atwork.environments.destroy_journal import DestroyJournal
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.faults.model import Operation
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import deployment

pytestmark = pytest.mark.engine

COMMAND = [sys.executable, "-c", "from atwork.cli import main; main()"]
OWNER = ("--owner", "team-orders")
SERVICES = {
    "pr-1": ("orders",),
    "pr-2": ("stock",),
    "pr-3": ("web",),
    "pr-4": ("orders", "web"),
    "pr-5": ("orders", "stock", "web"),
}


def atwork(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [*COMMAND, *words], cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def of(cloud: Cloud, stack: str) -> list[CloudObject]:
    return [entry for entry in cloud.objects() if stack_of(entry.urn) == stack]


def cloud_of(folder: Path) -> Cloud:
    return Cloud(folder / ".sandbox" / "cloud.sqlite")


def test_an_ephemeral_environment_is_created_and_deleted_completely(tmp_path: Path) -> None:
    copy(tmp_path, "infra", "policies", "delivery")
    before = (tmp_path / "stacks" / "Pulumi.ci.yaml").read_text()
    result = atwork(tmp_path, "environment", "new", "demo", *OWNER, *PLACE)
    assert "Preview against an empty state, nothing is created:" in result
    assert not (tmp_path / ".sandbox" / "state" / ".pulumi" / "stacks").exists(), "not even in the sandbox"
    atwork(tmp_path, "sandbox", "up", "ci", "demo")
    cloud = cloud_of(tmp_path)
    [project] = cloud.objects(token="gcp:organizations/project:Project")
    assert len(of(cloud, "demo")) > 70
    assert "demo" in atwork(tmp_path, "sandbox", "status")
    assert "demo is still up in the sandbox" in atwork(tmp_path, "environment", "remove", "demo", code=1)
    atwork(tmp_path, "environment", "extend", "demo", "--ttl", "5d")
    assert "expires-at" in atwork(tmp_path, "preview", "demo", code=2)  # the label on everything
    atwork(tmp_path, "sandbox", "up", "demo")
    assert "ends in 119 h" in atwork(tmp_path, "environment", "reap", "--apply").replace(
        "ends in 4 days", "ends in 119 h"
    )
    assert "nothing is left of it" in atwork(tmp_path, "environment", "destroy", "demo", "--confirm", "demo")
    assert of(cloud, "demo") == []
    assert cloud.get("", project.type, project.id) is None
    assert not list((tmp_path / ".sandbox" / "state").rglob("demo.json"))
    atwork(tmp_path, "sandbox", "up", "ci")
    assert [entry for entry in cloud.objects() if "demo" in entry.id and entry.urn] == []
    assert (tmp_path / "stacks" / "Pulumi.ci.yaml").read_text() == before


def write_services(folder: Path) -> None:
    """Add two services to orders: one with a secret and a database, one with neither."""
    orders = yaml.safe_load((folder / "services" / "orders.yaml").read_text())
    common = {key: orders[key] for key in ("owner", "channel", "viewers")}
    for name, more in (("stock", {"database": {"instance": "main"}, "secrets": ["token"]}), ("web", {})):
        service = {**common, **more, "repository": f"https://github.com/acme/{name}", "environments": {"staging": {}}}
        (folder / "services" / f"{name}.yaml").write_text(yaml.safe_dump(service))


def resources(folder: Path, stack: str) -> list[dict[str, Any]]:
    entries = deployment(Home(folder), stack).get("resources") or []
    assert isinstance(entries, list)
    return entries


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ci and staging, and five expired ephemeral environments, updated at once."""
    folder = copy(tmp_path_factory.mktemp("checkout"), "infra", "policies", "delivery")
    write_services(folder)
    for name, services in SERVICES.items():
        words = ("--services", ",".join(services), "--no-preview")
        atwork(folder, "environment", "new", name, *OWNER, *PLACE, *words)
        ends_in(folder, name, timedelta(hours=-1))
    atwork(folder, "sandbox", "up", "ci", "staging", *SERVICES)
    return folder


def test_five_at_once_have_their_own_services_and_nothing_in_common(five: Path) -> None:
    cloud = cloud_of(five)
    for name, services in SERVICES.items():
        mine = of(cloud, name)
        namespaces = {entry.id for entry in mine if entry.type == "kubernetes:core/v1:Namespace"}
        with_database = services != ("web",)
        assert namespaces == {*services, *(["database-rights"] if with_database else [])}
        databases = {entry.inputs["name"] for entry in mine if entry.type == "gcp:sql/database:Database"}
        assert databases == set(services) - {"web"}
        assert any("sql/databaseInstance" in entry.type for entry in mine) == with_database, (
            "no instance without a service"
        )
    projects = [project.inputs["projectId"] for project in cloud.objects(token="gcp:organizations/project:Project")]
    assert len(set(projects)) == 5


def test_an_interrupted_deletion_is_finished_and_the_others_continue(five: Path) -> None:
    long_lived = {name: resources(five, name) for name in ("ci", "staging")}
    cloud = cloud_of(five)
    before = len(of(cloud, "pr-1"))
    kill_in_call(
        Home(five),
        ["environment", "reap", "--apply"],
        "pr-1",
        Operation.delete,
        type="gcp:container/cluster:Cluster",
        also=lambda: len(of(cloud, "pr-1")) < before,
    )
    assert DestroyJournal.of(five, "pr-1").last() == "destroy"
    assert 0 < len(of(cloud, "pr-1")) < before
    assert resources(five, "pr-1"), "the state is kept"
    result = atwork(five, "environment", "reap", "--apply")
    assert "pr-1: an earlier run broke off in the step destroy; going on" in result
    for name in SERVICES:
        assert f"{name}: gone, nothing is left of it" in result
    assert {entry.urn.split(":")[2] for entry in cloud.objects() if entry.urn} == {"ci", "staging"}
    assert cloud.objects(token="gcp:organizations/project:Project") == []
    assert {name: resources(five, name) for name in long_lived} == long_lived
    assert "no ephemeral environments" in atwork(five, "environment", "reap")
    assert "3 environments and 3 services: no mistakes." in atwork(five, "environment", "check")
    assert not list((five / ".atwork").rglob("*.jsonl"))
