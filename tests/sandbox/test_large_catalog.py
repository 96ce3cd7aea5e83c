"""A thousand services in forty groups on the real engine: a change costs what it reaches, not what the company has."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from support import shell
from support.changes import atwork, init, reports_in
from support.checkout import copy

from atwork.bench.catalogs import add_groups, add_service
from atwork.checkout import Checkout
from atwork.engine.urn import name_of
from atwork.sandbox.faults.model import Effect, Fault, Operation
from atwork.sandbox.faults.store import FaultStore
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import resources
from infra.reach import reach

pytestmark = pytest.mark.engine

GROUPS, SERVICES = 40, 25
ENVIRONMENTS = ("ci", "staging", "production")


def names(folder: Path, stack: str) -> set[str]:
    return {name_of(resource["urn"]) for resource in resources(Home(folder), stack)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalog, committed; the environments, the stacks of the group g07 and one of g08 are up."""
    folder = copy(tmp_path_factory.mktemp("large") / "checkout", "infra", "policies", "delivery")
    atwork(folder, "sandbox", "up", *ENVIRONMENTS)  # before the groups: the name of an environment includes them
    add_groups(folder, GROUPS, SERVICES)
    init(folder)
    atwork(folder, "sandbox", "up", *(f"{environment}.g07" for environment in ENVIRONMENTS), "staging.g08")
    return folder


def test_an_added_service_is_previewed_and_created_in_the_stacks_of_its_group(checkout: Path) -> None:
    before = {stack: names(checkout, stack) for stack in Checkout(checkout).stack_names()}
    assert len(before) == len(ENVIRONMENTS) * (1 + GROUPS)
    added = add_service(checkout, "g07", "stock", ENVIRONMENTS[1:])

    printed = atwork(checkout, "preview", "--base", "main", "--format", "json", code=2)
    reports = reports_in(printed)
    assert [*reports] == [f"{environment}.g07" for environment in ENVIRONMENTS]
    left_out = len(ENVIRONMENTS) * (1 + GROUPS) - 3
    assert f"{left_out} stacks" in printed
    changes = {
        stack: Counter((change["kind"], "stock" in change["urn"]) for change in report["changes"])
        for stack, report in reports.items()
    }
    existing = [each for each in resources(Home(checkout), "staging.g07") if "g07-s00" in each["urn"]]
    of_one_service = Counter({("create", True): len(existing)})
    assert changes == {
        "ci.g07": Counter({("update", False): 1}),
        "staging.g07": of_one_service,
        "production.g07": of_one_service,
    }

    atwork(checkout, "sandbox", "up", *reports)
    assert {stack for stack, known in before.items() if names(checkout, stack) != known} == {
        "staging.g07",
        "production.g07",
    }, "ci.g07 has the same resources, one of them with other content"
    again = reports_in(atwork(checkout, "preview", *reports, "--format", "json"))
    assert {report["result"] for report in again.values()} == {"unchanged"}
    assert reach([str(added.relative_to(checkout)), "components/tenant.py"], [*before]).reached == tuple(before)


def test_teams_that_update_at_the_same_time_do_not_wait_for_each_other(checkout: Path) -> None:
    home = Home(checkout)
    for group in ("g07", "g08"):
        add_service(checkout, group, f"{group}-late", ENVIRONMENTS[1:])
    faults = FaultStore(home.faults)
    faults.add(Fault(effect=Effect.hang, operation=Operation.create, stack="staging.g07", seconds=3600.0))
    update = ("up", "--yes", "--skip-preview", "--stack")
    try:
        with shell.started(home, *update, "staging.g07") as waiting:
            while not any(fault.hits for fault in faults.all()):
                assert waiting.poll() is None, waiting.communicate()
                time.sleep(0.05)
            refused = shell.pulumi(home, *update, "staging.g07")
            assert "the stack is currently locked" in refused.stdout + refused.stderr
            other = shell.pulumi(home, *update, "staging.g08")
            assert other.returncode == 0, other.stdout + other.stderr
            assert waiting.poll() is None
            waiting.terminate()
            waiting.communicate()
    finally:
        faults.clear()
    assert any("g08-late" in name for name in names(checkout, "staging.g08"))
    atwork(checkout, "sandbox", "up", "staging.g07")
    assert any("g07-late" in name for name in names(checkout, "staging.g07"))
