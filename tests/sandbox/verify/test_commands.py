"""`atwork sandbox verify` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.checkout import copy
from typer.testing import CliRunner, Result

from atwork.cli import app
from atwork.errors import UserError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from atwork.sandbox.verify import commands


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, shipped: list[CloudObject], helm: Path) -> Home:
    del helm  # built where it is missing
    created = Home(copy(tmp_path_factory.mktemp("verify") / "checkout", "delivery"))
    cloud = Cloud(created.cloud)
    with cloud.transaction():
        for item in shipped:
            cloud.create(item, set())
    return created


def run(home: Home, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.chdir(home.checkout)
    return CliRunner().invoke(app, ["sandbox", "verify", *words])


def test_the_table_has_all_environments_and_open_prerequisites(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(home, monkeypatch)
    assert done.exit_code == 0, done.output
    rows = {cells[0]: cells[1:] for cells in map(str.split, done.output.splitlines()[1:4])}
    assert {name: int(cells[0]) > 1 for name, cells in rows.items()} == dict.fromkeys(rows, True)
    assert set(rows) == {"ci", "staging", "production"}
    assert "prerequisite production: orders/orders: projects/acme-at-work-production/secrets/" in done.output
    assert (
        "ci/jenkins: described from the values; JENKINS_CHART_DIR" in done.output or "rendered by helm" in done.output
    )


def test_prerequisites_are_errors_with_strict(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(home, monkeypatch, "production", "--strict").exit_code == 1


def test_findings_are_in_the_json_and_the_exit_code_is_1(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(home.cloud)
    [policy] = [
        item for item in cloud.objects() if item.urn.endswith("::tenant-orders-dns") and item.scope.endswith("staging")
    ]
    cloud.delete(policy.scope, policy.type, policy.id)
    try:
        done = run(home, monkeypatch, "staging", "--json")
    finally:
        cloud.create(policy, set())
    assert done.exit_code == 1
    report = json.loads(done.output)
    assert list(report["environments"]) == ["staging"]
    assert {item["check"] for item in report["findings"]} == {"network"}
    assert {"pod", "what", "why", "fix", "reason"} <= report["findings"][0].keys()
    assert run(home, monkeypatch, "production").exit_code == 0


@pytest.mark.parametrize(
    ("stacks", "message"), [(["moon"], r"stacks/Pulumi\.moon\.yaml: file not found"), (["demo"], "demo is not up")]
)
def test_an_environment_that_is_not_up_is_reported(home: Home, stacks: list[str], message: str) -> None:
    file = home.checkout / "stacks" / "Pulumi.demo.yaml"
    file.write_text(
        (home.checkout / "stacks" / "Pulumi.production.yaml")
        .read_text()
        .replace("acme-at-work-production", "acme-demo")
    )
    try:
        with pytest.raises(UserError, match=message):
            commands.look(home, stacks)
    finally:
        file.unlink()
