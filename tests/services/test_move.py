"""What `atwork service move` plans and refuses before anything is written."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.checkout import copy

from atwork.checkout import Checkout
from atwork.engine.backend import Backend
from atwork.errors import BackendError, UsageError
from atwork.group_files import write_stack_files
from atwork.report.model import Change, Output, StackReport
from atwork.services.moving.plan import Move
from atwork.services.moving.previews import obstacles, surplus
from atwork.services.moving.states import check_state
from atwork.services.moving.undo import Undo

ENVIRONMENTS = ("ci", "staging", "production")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    copy(tmp_path)
    (tmp_path / "services" / "payments").mkdir()
    return Checkout(tmp_path)


def add(checkout: Checkout, name: str, group: str) -> None:
    text = (checkout.services / "orders.yaml").read_text().replace("acme/orders", f"acme/{name}")
    path = checkout.services / group / f"{name}.yaml"
    path.write_text(text.replace("host: orders.", f"host: {name}."))


def stack_moves(move: Move) -> list[str]:
    return [f"{transfer.source} to {transfer.target}" for transfer in move.transfers]


def test_a_new_group_gets_stacks(checkout: Checkout) -> None:
    move = Move.of(checkout, "orders", "payments")
    assert sorted(map(str, move.new_stacks)) == sorted(f"{name}.payments" for name in ENVIRONMENTS)
    assert stack_moves(move) == [f"{name} to {name}.payments" for name in ENVIRONMENTS]
    assert (move.names.service, move.names.instance, move.names.database) == ("orders", "main", "orders")
    write_stack_files(checkout.root, "payments", move.environments, move.services_after)
    move.file.rename(move.new_file)
    back = Move.of(checkout, "orders", "default")
    assert back.new_stacks == []
    assert stack_moves(back) == [f"{name}.payments to {name}" for name in ENVIRONMENTS]


def test_a_group_without_stacks_is_a_folder_only(checkout: Checkout) -> None:
    add(checkout, "stock", "payments")
    move = Move.of(checkout, "orders", "payments")
    assert (move.new_stacks, move.transfers) == ([], [])
    assert move.new_file == checkout.services / "payments" / "orders.yaml"


def test_a_service_that_runs_where_its_new_group_did_not_brings_the_stack_file(checkout: Checkout) -> None:
    add(checkout, "stock", "payments")
    stock = checkout.services / "payments" / "stock.yaml"
    stock.write_text(stock.read_text().partition("  production:")[0])
    before = Move.of(checkout, "orders", "payments")
    write_stack_files(checkout.root, "payments", before.environments, before.services)
    move = Move.of(checkout, "orders", "payments")
    assert [str(stack) for stack in move.new_stacks] == ["production.payments"]
    assert stack_moves(move) == [f"{name} to {name}.payments" for name in ENVIRONMENTS]


def test_a_group_that_lacks_a_stack_file_is_refused(checkout: Checkout) -> None:
    add(checkout, "stock", "payments")
    move = Move.of(checkout, "orders", "payments")
    write_stack_files(checkout.root, "payments", move.environments, move.services)
    checkout.stack_file("staging.payments").unlink()
    message = r"stacks/Pulumi\.staging\.payments\.yaml: missing; run `atwork service group payments`"
    with pytest.raises(UsageError, match=message):
        Move.of(checkout, "orders", "payments")


@pytest.mark.parametrize(
    ("name", "group", "message"),
    [
        ("stock", "default", "stock: service not found; name one of orders"),
        ("orders", "paymnts", "services/paymnts: group not found; name one of default, or create it: `mkdir"),
    ],
)
def test_unknown_names_are_refused(name: str, group: str, message: str, checkout: Checkout) -> None:
    with pytest.raises(UsageError, match=message):
        Move.of(checkout, name, group)


@dataclass(frozen=True, kw_only=True)
class Folder(Backend):
    """A backend in a folder with one state."""

    state: Mapping[str, Any]

    @contextmanager
    def environment(self) -> Generator[dict[str, str]]:
        raise AssertionError("no engine is needed")
        yield {}

    def deployment(self, stack: str) -> Mapping[str, Any]:
        return self.state

    def upstream(self, stack: str) -> None:
        return None


def folder(checkout: Checkout, state: Mapping[str, Any]) -> Folder:
    return Folder(url=f"file://{checkout.root}", program=Path("pulumi"), project=checkout.root, state=state)


def test_a_locked_stack_is_refused(checkout: Checkout) -> None:
    move = Move.of(checkout, "orders", "payments")
    check_state(move, folder(checkout, {}), "staging")
    lock = checkout.root / ".pulumi/locks/organization/atwork/staging/1.json"
    lock.parent.mkdir(parents=True)
    owner = {"pid": os.getpid(), "username": "ada", "hostname": socket.gethostname()}
    lock.write_text(json.dumps({**owner, "timestamp": "2027-01-01T00:00:00Z"}))
    with pytest.raises(BackendError, match=r"staging: locked by ada@.*; wait, or look at it with `atwork unlock stag"):
        check_state(move, folder(checkout, {}), "staging")


def test_an_interrupted_update_is_refused(checkout: Checkout) -> None:
    urn = "urn:pulumi:staging::atwork::gcp:sql/user:User::database-main-orders-user"
    state = {"resources": [], "pending_operations": [{"resource": {"urn": urn}, "type": "creating"}]}
    message = r"staging: an interrupted update left database-main-orders-user; run `pulumi refresh -s staging`"
    with pytest.raises(BackendError, match=message):
        check_state(Move.of(checkout, "orders", "payments"), folder(checkout, state), "staging")


def report(kind: Any = "", kind_of_resource: str = "gcp:sql/user:User", name: str = "x", **more: Any) -> StackReport:
    change = Change(kind=kind, step=kind, type=kind_of_resource, name=name, urn=f"urn::{name}") if kind else None
    about: dict[str, Any] = {"stack": "staging", "result": "changes", "complete": True, "counts": {}, "unchanged": 1}
    changes = (change,) if change else ()
    return StackReport.model_validate({**about, "fingerprint": "", "changes": changes, **more})


def test_what_a_preview_may_show(checkout: Checkout) -> None:
    move = Move.of(checkout, "orders", "payments")
    reference = report("create", "pulumi:providers:pulumi", "default")
    assert (obstacles(reference), surplus(move, reference)) == ([], [])
    assert obstacles(report("update")) == ["update x"]
    assert surplus(move, report("update")) == []
    assert obstacles(report(outputs=(Output(name="shared", old=None, new="{}"),))) == ["output shared"]
    assert obstacles(report(result="blocked")) == ["blocked"]
    assert surplus(move, report("create", name="jenkins-payments-jobs")) == []
    for kind in ("create", "replace", "delete", "retain"):
        assert surplus(move, report(kind)) == [f"staging: the next update would {kind} x"]
    assert surplus(move, report(result="blocked")) == ["staging: its preview is blocked; run `atwork preview staging`"]
    assert surplus(move, report(errors=("no network",))) == ["staging: no network"]


def test_the_states_before_an_interrupted_move_are_kept(checkout: Checkout) -> None:
    move = Move.of(checkout, "orders", "payments")
    [_, transfer, _] = move.transfers
    Undo.prepared(move, interrupted=False).add("staging", {"resources": [1]})
    again = Undo.prepared(move, interrupted=True)
    again.add("staging", {"resources": [2]})
    file = checkout.root / ".atwork" / "move-orders-payments" / "staging.json"
    assert json.loads(file.read_text()) == {"version": 3, "deployment": {"resources": [1]}}
    assert file.stat().st_mode & 0o777 == 0o600
    assert [*again.commands([transfer])] == [
        "To undo it:",
        "  pulumi stack import -s staging --file .atwork/move-orders-payments/staging.json",
        "  mv services/payments/orders.yaml services/orders.yaml",
    ]
    assert [*Undo.prepared(move, interrupted=False).commands([transfer])] == []
