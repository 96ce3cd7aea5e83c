"""Groups of services with stacks of their own on the real engine: only what a change reaches is previewed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support.changes import atwork, commit, init, reports_in
from support.checkout import copy
from support.guards import lift_policy, lift_settings

from atwork.engine.urn import name_of
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import deployment, resources
from infra.layout import stack_file

pytestmark = pytest.mark.engine

SERVICE = {
    "owner": "team-payments",
    "channel": "#team-payments",
    "database": {"instance": "main"},
    "secrets": ["token"],
    "environments": {"staging": {}},
}


def add_service(folder: Path, name: str) -> None:
    path = folder / "services" / "payments" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({**SERVICE, "repository": f"https://github.com/acme/{name}"}))


def names(folder: Path, stack: str) -> set[str]:
    return {name_of(resource["urn"]) for resource in resources(Home(folder), stack)}


def test_a_service_of_a_group_concerns_the_stacks_of_the_group_alone(tmp_path: Path) -> None:
    folder = copy(tmp_path, "infra", "policies", "delivery")
    init(folder)
    atwork(folder, "sandbox", "up", "ci", "staging")

    add_service(folder, "ledger")
    written = atwork(folder, "service", "group", "payments").splitlines()
    assert written == [f"stacks/Pulumi.{name}.payments.yaml: written" for name in ("ci", "staging")]
    assert atwork(folder, "service", "group", "payments") == "payments: has all its stack files\n"
    atwork(folder, "sandbox", "up", "ci.payments")
    first = reports_in(atwork(folder, "preview", "staging.payments", "--format", "json", code=2))["staging.payments"]
    assert first["new"]
    assert "Refused" in atwork(folder, "up", "staging.payments", "--expect", "0" * 12, code=4)
    atwork(folder, "up", "staging.payments", "--expect", first["fingerprint"])
    assert {"tenant-ledger-namespace", "database-main-ledger-user"} <= names(folder, "staging.payments")
    assert not any("ledger" in name for name in names(folder, "staging") | names(folder, "ci"))
    assert "jenkins-payments-jobs" in names(folder, "ci.payments")
    assert " ledger/ledger: " in atwork(folder, "sandbox", "verify", "staging"), "its secret has no value yet"

    commit(folder)
    add_service(folder, "stock")
    printed = atwork(folder, "preview", "ci", "staging", "--base", "main", "--format", "json", code=2)
    assert "Left out: ci, staging: their programs read no changed file" in printed
    reports = reports_in(printed)
    assert [*reports] == ["ci.payments", "staging.payments"]
    changes = {
        name: {(change["kind"], "stock" in change["urn"]) for change in report["changes"]}
        for name, report in reports.items()
    }
    assert changes == {"ci.payments": {("update", False)}, "staging.payments": {("create", True)}}

    atwork(folder, "sandbox", "up", "ci.payments", "staging.payments")
    unchanged = reports_in(atwork(folder, "preview", "ci", "staging", "--format", "json"))
    assert {name: report["result"] for name, report in unchanged.items()} == dict.fromkeys(
        ("ci", "ci.payments", "staging", "staging.payments"), "unchanged"
    )

    # Their accounts have the same IDs in the other instance, so that they must stay.
    second = "    databases:\n      second:\n        tier: db-custom-1-3840\n"
    test = stack_file(folder / "stacks", "staging")
    test.write_text(test.read_text().replace("    databases:\n", second))
    moved = {"staging": "orders.yaml", "staging.payments": "payments/ledger.yaml"}
    for file in moved.values():
        path = folder / "services" / file
        path.write_text(path.read_text().replace("instance: main", "instance: second"))
    atwork(folder, "sandbox", "up", "staging", "staging.payments")
    for stack, file in moved.items():
        login = {f"{Path(file).stem}-{part}" for part in ("account", "client", "impersonation", "user")}
        assert {f"database-second-{part}" for part in login} <= names(folder, stack)
        assert not {f"database-main-{part}" for part in login} & names(folder, stack)

    for service in ("ledger", "stock"):
        path = folder / "services" / "payments" / f"{service}.yaml"
        path.write_text(path.read_text().replace("staging: {}", "staging: {deletion_protection: false}"))
    build, test, production = (stack_file(folder / "stacks", name) for name in ("ci", "staging", "production"))
    lift_settings(build, test, production)
    lift_policy(test, production)
    atwork(folder, "sandbox", "up", "ci", "staging")
    printed = atwork(folder, "environment", "destroy", "staging", "--confirm", "staging")
    assert printed.index("staging.payments: gone") < printed.index("staging: gone")
    assert not [path for path in (folder / "stacks").iterdir() if "staging" in path.name]
    assert "Nothing is left." in atwork(folder, "sandbox", "down", "ci")
    assert [deployment(Home(folder), stack).get("resources") or [] for stack in unchanged] == [[], [], [], []]
