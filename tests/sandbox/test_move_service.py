"""A service moves between groups on the real engine, with a kill after each write of a state."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sandbox.test_groups import atwork, names, reports_in
from support.checkout import copy

from atwork.engine.urn import name_of
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import resources

pytestmark = pytest.mark.engine

# The process ends as with SIGKILL after a number of writes, before the next one.
KILLED = """
import os, sys
from atwork.engine.stack import Stack

load, left = Stack.load, [int(sys.argv.pop(1))]

def killed(stack, deployment):
    load(stack, deployment)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), 9)

Stack.load = killed
from atwork.cli import main
main()
"""


def killed_after(writes: int, folder: Path, *words: str) -> None:
    command = [sys.executable, "-c", KILLED, str(writes), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == -9, done.stdout + done.stderr


def identities(folder: Path, *stacks: str) -> dict[tuple[str, str], str]:
    """Identity in the cloud by type and name of every object, as a replacement would change it."""
    return {
        (resource["type"], resource["id"]): name_of(resource["urn"])
        for stack in stacks
        for resource in resources(Home(folder), stack)
        if resource.get("custom") and not resource["type"].startswith("pulumi:")
    }


def unchanged(folder: Path, *stacks: str) -> bool:
    reports: dict[str, Any] = reports_in(atwork(folder, "preview", *stacks, "--format", "json"))
    return {report["result"] for report in reports.values()} == {"unchanged"}


def test_a_service_moves_to_a_group_and_back_and_nothing_is_replaced(tmp_path: Path) -> None:
    folder = copy(tmp_path, "infra", "policies", "delivery")
    file, moved = folder / "services" / "orders.yaml", folder / "services" / "payments" / "orders.yaml"
    stated = file.read_text()
    atwork(folder, "sandbox", "up", "ci", "staging")
    before = identities(folder, "staging")
    assert "unknown: service not found" in atwork(folder, "service", "move", "unknown", "default", code=1)
    assert "create it: `mkdir services/payments`" in atwork(folder, "service", "move", "orders", "payments", code=1)
    assert "already; nothing to move" in atwork(folder, "service", "move", "orders", "default", code=1)
    moved.parent.mkdir()

    file.write_text(stated.replace("[engineers@", "[audit@example.com, engineers@"))
    refused = atwork(folder, "service", "move", "orders", "payments", code=1)
    assert "staging: its preview must have no changes before the move (" in refused
    assert not [*folder.glob("stacks/*.payments.yaml")], "nothing is written"
    file.write_text(stated)

    for writes in (1, 2):  # both stacks have the resources, then the new one alone
        killed_after(writes, folder, "service", "move", "orders", "payments")
        assert "tenant-orders-namespace" in names(folder, "staging.payments")
        assert ("tenant-orders-namespace" in names(folder, "staging")) == (writes == 1)
        assert file.exists()
    printed = atwork(folder, "service", "move", "orders", "payments")
    assert printed.splitlines()[-1].startswith("orders: moved to payments; commit the files")
    assert moved.exists()
    assert not file.exists()
    assert not any("orders" in name for name in names(folder, "staging"))
    assert {"database-main-orders", "database-main-orders-database"} <= names(folder, "staging.payments")
    after = identities(folder, "staging", "staging.payments")
    assert after.keys() == before.keys()
    renamed = {before[key]: after[key] for key in before if before[key] != after[key]}
    assert renamed == {"database-main-orders": "database-main-orders-database"}
    assert "orders is in payments already" in atwork(folder, "service", "move", "orders", "payments", code=1)

    # The first update of the group adds its reference to the environment; it creates and deletes nothing in the cloud.
    atwork(folder, "sandbox", "up", "staging")
    assert unchanged(folder, "staging")
    assert identities(folder, "staging", "staging.payments") == after
    owners = {item.urn.split("::")[0] for item in Cloud(Home(folder).cloud).objects() if item.id == "orders"}
    assert owners == {"urn:pulumi:staging.payments"}, "the simulation follows the move"

    # The undo files are those of the first command, which was interrupted.
    assert printed.count("pulumi stack import -s staging") == 2
    printed = atwork(folder, "service", "move", "orders", "default")
    assert identities(folder, "staging") == before
    assert unchanged(folder, "staging")

    commands = [line for line in printed.splitlines() if line.startswith("  ")]
    assert len(commands) == 3
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    script = "\n".join(['set -e; eval "$(atwork sandbox env)"', *commands])
    subprocess.run(["bash", "-c", script], cwd=folder, check=True, env={**os.environ, "PATH": path})
    assert identities(folder, "staging", "staging.payments") == after
    assert moved.exists()

    moved.rename(file)
    by_hand = atwork(folder, "service", "move", "orders", "default", code=1)
    assert "moved by hand, and staging.payments has the resources; `mv services/orders.yaml services/pay" in by_hand
