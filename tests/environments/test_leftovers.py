"""What is imported, under which parents, and how those that are not there are found out."""

from __future__ import annotations

from typing import Any, cast

import pytest

from atwork.engine.backend import Backend
from atwork.engine.events import Diagnostic
from atwork.engine.outcome import Outcome
from atwork.engine.stack import Stack
from atwork.environments import leftovers
from atwork.environments.leftovers import AdoptionPlan, Planned
from atwork.errors import BackendError
from atwork.report.keeping import import_id

ROOT = "urn:pulumi:staging::atwork::pulumi:pulumi:Stack::atwork-staging"
PROVIDER = "urn:pulumi:staging::atwork::pulumi:providers:gcp::google"
OUTER = "urn:pulumi:staging::atwork::atwork:a:Outer::outer"
INNER = "urn:pulumi:staging::atwork::atwork:a:Outer$atwork:b:Inner::inner"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Importing:
    """A backend whose engine answers imports with the outcomes of a test."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[dict[str, Any]] = []

    def stack(self, name: str) -> Stack:
        assert name == "staging"
        return cast("Stack", self)

    def import_resources(self, document: dict[str, Any], *, preview_only: bool) -> Outcome:
        assert preview_only
        self.asked.append(document)
        return self.outcomes.pop(0)


def backend(importing: Importing) -> Backend:
    return cast("Backend", importing)


def planned(name: str, parent: str = INNER) -> Planned:
    urn = f"urn:pulumi:staging::atwork::gcp:sql/database:Database::{name}"
    return Planned(urn, "gcp:sql/database:Database", f"projects/p/instances/i/databases/{name}", parent, PROVIDER)


def test_a_parent_that_the_state_does_not_have_is_imported_once_and_before_its_children() -> None:
    components = {OUTER: {"type": "atwork:a:Outer", "parent": ROOT}, INNER: {"type": "atwork:b:Inner", "parent": OUTER}}
    document = leftovers.document(
        AdoptionPlan("staging", (), components), [planned("one"), planned("two"), planned("three", ROOT)]
    )
    names = [
        (resource["logicalName"], resource.get("component", False), resource["parent"])
        for resource in document["resources"]
    ]
    assert names == [
        ("outer", True, ROOT),
        ("inner", True, OUTER),
        ("one", False, INNER),
        ("two", False, INNER),
        ("three", False, ROOT),
    ]
    assert document["nameTable"] == {ROOT: ROOT, PROVIDER: PROVIDER}
    assert len({resource["name"] for resource in document["resources"]}) == len(document["resources"])


def test_those_that_the_engine_does_not_find_are_left_out() -> None:
    there, gone = planned("there"), planned("gone")
    missing = Diagnostic(gone.urn, f"Preview failed: resource '{gone.id}' does not exist")
    importing = Importing(Outcome("staging", 1, diagnostics=[missing]), Outcome("staging"))
    plan = AdoptionPlan("staging", (there, gone))
    assert leftovers.existing(backend(importing), plan, [there, gone]) == [there]
    assert [len(document["resources"]) for document in importing.asked] == [2, 1]


def test_another_failure_is_no_answer() -> None:
    importing = Importing(Outcome("staging", 1, diagnostics=[Diagnostic("", "Error 403: not allowed")]))
    with pytest.raises(BackendError, match="staging: the engine cannot look for them:\nError 403: not allowed"):
        leftovers.existing(backend(importing), AdoptionPlan("staging", ()), [planned("one")])


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        ("gcp:sql/database:Database", {"instance": "i", "name": "n"}, "projects/p/instances/i/databases/n"),
        (
            "gcp:sql/database:Database",
            {"instance": "i", "name": "n", "project": "q"},
            "projects/q/instances/i/databases/n",
        ),
        ("gcp:sql/database:Database", {"instance": UNKNOWN, "name": "n"}, ""),
        ("gcp:sql/user:User", {"instance": "i", "name": "n@p.iam"}, "p/i/n@p.iam"),
        (
            "gcp:kms/cryptoKey:CryptoKey",
            {"keyRing": "projects/p/locations/l/keyRings/r", "name": "disks"},
            "projects/p/locations/l/keyRings/r/cryptoKeys/disks",
        ),
        ("kubernetes:core/v1:Namespace", {"metadata": {"name": "jenkins"}}, "jenkins"),
        (
            "kubernetes:core/v1:PersistentVolumeClaim",
            {"metadata": {"namespace": "jenkins", "name": "home"}},
            "jenkins/home",
        ),
        ("kubernetes:core/v1:PersistentVolumeClaim", {"metadata": {"namespace": UNKNOWN, "name": "home"}}, ""),
        ("kubernetes:core/v1:Namespace", {"metadata": {}}, ""),
        ("gcp:storage/bucket:Bucket", {"name": "b"}, ""),
    ],
)
def test_ids_are_those_by_which_the_provider_imports(kind: str, inputs: dict[str, Any], expected: str) -> None:
    assert import_id(kind, inputs, "p") == expected
