"""`environment adopt`: what it says, when it asks, and how it ends. tests/runbooks does it on the real engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.environments import atwork
from support.fake_engine import FakeBackend

from atwork.engine.events import Diagnostic
from atwork.engine.outcome import Outcome
from atwork.environments import leftovers
from atwork.environments.leftovers import AdoptionPlan, Planned
from atwork.errors import BackendError, UsageError

KIND = "gcp:sql/database:Database"
ORDERS = Planned(f"urn:pulumi:staging::atwork::{KIND}::orders", KIND, "projects/p/instances/i/databases/orders", "", "")
STOCK = Planned(f"urn:pulumi:staging::atwork::{KIND}::stock", KIND, "", "", "")


@pytest.fixture
def engine(checkout: Path, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the engine answers, and what it was asked to import."""
    del checkout, backend
    answers: dict[str, Any] = {"there": [ORDERS], "outcome": Outcome("staging"), "steps": {}, "imported": []}

    def take_back(_place: Any, _plan: AdoptionPlan, there: list[Planned]) -> Outcome:
        answers["imported"] += there
        return answers["outcome"]

    monkeypatch.setattr(leftovers, "plan", lambda _place, stack: AdoptionPlan(stack, (ORDERS, STOCK)))
    monkeypatch.setattr(leftovers, "existing", lambda _place, _plan, asked: [o for o in asked if o in answers["there"]])
    monkeypatch.setattr(leftovers, "take_back", take_back)
    monkeypatch.setattr(leftovers, "steps", lambda *_: answers["steps"])
    return answers


def test_what_is_there_is_shown_and_imported(engine: dict[str, Any]) -> None:
    done = atwork("adopt", "staging", "--yes")
    assert done.exit_code == 0, done.output
    assert "stock: its name in the cloud is not known before `pulumi up`; not looked for" in done.output
    assert "orders: Database projects/p/instances/i/databases/orders is there" in done.output
    assert "staging: adopted 1" in done.output
    assert engine["imported"] == [ORDERS]


def test_nothing_is_imported_without_a_yes_or_where_nothing_is_there(engine: dict[str, Any]) -> None:
    unasked = atwork("adopt", "staging")
    assert isinstance(unasked.exception, UsageError)
    assert str(unasked.exception) == "no terminal to ask on; run it again with --yes"
    engine["there"] = []
    done = atwork("adopt", "staging", "--yes")
    assert (done.exit_code, "nothing that would be created already exists" in done.output) == (0, True)
    assert engine["imported"] == []


def test_differences_from_the_program_are_reported(engine: dict[str, Any]) -> None:
    engine["steps"] = {ORDERS.urn: "replace"}
    done = atwork("adopt", "staging", "--yes")
    assert done.exit_code == 1
    assert "orders: the next update would replace it; look at `pulumi preview --diff`" in done.output


def test_an_import_that_fails_says_why(engine: dict[str, Any]) -> None:
    engine["outcome"] = Outcome("staging", 255, diagnostics=[Diagnostic(ORDERS.urn, "Error 403: not allowed")])
    done = atwork("adopt", "staging", "--yes")
    assert isinstance(done.exception, BackendError)
    assert "orders: Error 403: not allowed" in str(done.exception)
