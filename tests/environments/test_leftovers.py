"""What is imported, under which parents, and how those that are not there are found out."""

from __future__ import annotations

from typing import Any, cast

import pytest

from atwork.environments import leftovers, stacks
from atwork.environments.leftovers import Plan, Planned
from atwork.environments.stacks import Outcome
from atwork.errors import BackendError
from atwork.report.keeping import import_id
from atwork.report.run import Place

ROOT = "urn:pulumi:staging::atwork::pulumi:pulumi:Stack::atwork-staging"
PROVIDER = "urn:pulumi:staging::atwork::pulumi:providers:gcp::google"
OUTER = "urn:pulumi:staging::atwork::atwork:a:Outer::outer"
INNER = "urn:pulumi:staging::atwork::atwork:a:Outer$atwork:b:Inner::inner"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
NOWHERE = cast("Place", None)


def planned(name: str, parent: str = INNER) -> Planned:
    urn = f"urn:pulumi:staging::atwork::gcp:sql/database:Database::{name}"
    return Planned(urn, "gcp:sql/database:Database", f"projects/p/instances/i/databases/{name}", parent, PROVIDER)


def test_a_parent_that_the_state_does_not_have_is_imported_once_and_before_its_children() -> None:
    components = {OUTER: {"type": "atwork:a:Outer", "parent": ROOT}, INNER: {"type": "atwork:b:Inner", "parent": OUTER}}
    found = leftovers.document(
        Plan("staging", (), components), [planned("one"), planned("two"), planned("three", ROOT)]
    )
    names = [(one["logicalName"], one.get("component", False), one["parent"]) for one in found["resources"]]
    assert names == [
        ("outer", True, ROOT),
        ("inner", True, OUTER),
        ("one", False, INNER),
        ("two", False, INNER),
        ("three", False, ROOT),
    ]
    assert found["nameTable"] == {ROOT: ROOT, PROVIDER: PROVIDER}
    assert len({one["name"] for one in found["resources"]}) == len(found["resources"])


def test_those_that_the_engine_does_not_find_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    there, gone = planned("there"), planned("gone")
    asked: list[int] = []

    def engine(_place: Place, words: tuple[str, ...], *_: Any) -> Outcome:
        assert "--preview-only" in words
        asked.append(len(asked))
        error = f"Preview failed: resource '{gone.id}' does not exist"
        return Outcome(0) if len(asked) > 1 else Outcome(1, (error,), ((gone.urn, error),))

    monkeypatch.setattr(stacks, "engine", engine)
    assert leftovers.existing(NOWHERE, Plan("staging", (there, gone)), [there, gone]) == [there]
    assert len(asked) == 2


def test_another_failure_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    error = "Error 403: not allowed"
    outcome = Outcome(1, (error,), (("", error),))
    monkeypatch.setattr(stacks, "engine", lambda *_: outcome)
    with pytest.raises(BackendError, match="staging: the engine cannot look for them:\nError 403: not allowed"):
        leftovers.existing(NOWHERE, Plan("staging", ()), [planned("one")])


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        ("gcp:sql/database:Database", {"instance": "i", "name": "n"}, "projects/p/instances/i/databases/n"),
        ("gcp:sql/database:Database", {"instance": "i", "name": "n", "project": "q"}, "projects/q/instances/i/databases/n"),
        ("gcp:sql/database:Database", {"instance": UNKNOWN, "name": "n"}, ""),
        ("gcp:sql/user:User", {"instance": "i", "name": "n@p.iam"}, "p/i/n@p.iam"),
        ("gcp:kms/cryptoKey:CryptoKey", {"keyRing": "projects/p/locations/l/keyRings/r", "name": "disks"}, "projects/p/locations/l/keyRings/r/cryptoKeys/disks"),
        ("kubernetes:core/v1:Namespace", {"metadata": {"name": "jenkins"}}, "jenkins"),
        ("kubernetes:core/v1:PersistentVolumeClaim", {"metadata": {"namespace": "jenkins", "name": "home"}}, "jenkins/home"),
        ("kubernetes:core/v1:PersistentVolumeClaim", {"metadata": {"namespace": UNKNOWN, "name": "home"}}, ""),
        ("kubernetes:core/v1:Namespace", {"metadata": {}}, ""),
        ("gcp:storage/bucket:Bucket", {"name": "b"}, ""),
    ],
)  # fmt: skip
def test_ids_are_those_by_which_the_provider_imports(kind: str, inputs: dict[str, Any], expected: str) -> None:
    assert import_id(kind, inputs, "p") == expected
