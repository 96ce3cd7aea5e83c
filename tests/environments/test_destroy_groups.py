"""`environment destroy` of an environment whose groups of services have stacks of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.prompt import Prompt
from support.environments import atwork, contents, with_groups
from support.fake_engine import FakeBackend, resource

from atwork.environments import destroy

GROUPS = ["qa.payments", "qa.search"]


def test_groups_go_first_and_one_consent_is_for_all(checkout: Path, backend: FakeBackend) -> None:
    with_groups(checkout, backend)
    done = atwork("destroy", "qa", "--confirm", "qa")
    assert done.exit_code == 0, done.output + str(done.exception)
    assert done.output.splitlines()[:3] == [*(f"{group}: 2 resources" for group in GROUPS), "qa: 1 resources"]
    assert "removed stacks/Pulumi.qa.yaml, stacks/Pulumi.qa.payments.yaml, stacks/Pulumi.qa.search.yaml" in done.output
    removed = [call.split()[2] for call in backend.calls if call.startswith("stack rm")]
    assert (sorted(removed[:2]), removed[2]) == (GROUPS, "qa"), backend.calls
    first = next(number for number, call in enumerate(backend.calls) if call.startswith("destroy --stack qa "))
    assert all("qa." not in call for call in backend.calls[first:]), "the environment begins after its groups"
    assert backend.read()["stacks"] == {}
    assert not [path for path in contents(checkout) if path.name.startswith("Pulumi.qa")]


def test_the_question_names_every_stack(checkout: Path, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    with_groups(checkout, backend)
    asked: list[str] = []

    def ask(question: str, **_: object) -> str:
        asked.append(question)
        return "no"

    monkeypatch.setattr(Prompt, "ask", ask)
    monkeypatch.setattr(destroy, "is_interactive", lambda _console: True)
    done = atwork("destroy", "qa")
    assert "that is not qa; it stays" in str(done.exception)
    assert asked == ["qa is long-lived, and nothing of qa with qa.payments, qa.search comes back. Its name"]
    assert backend.calls == []


def test_a_group_that_fails_keeps_the_environment_and_all_files(checkout: Path, backend: FakeBackend) -> None:
    with_groups(checkout, backend)
    before = contents(checkout)
    for attempt in ("inside", "destroy"):
        backend.fail("qa.search", attempt, "no quota", "no quota")
        done = atwork("destroy", "qa", "--confirm", "qa")
        assert done.exit_code == 1
        assert "qa.search: no quota" in done.output
        assert "qa: stays, because stacks of its groups are left" in done.output
        assert backend.read()["stacks"].keys() == {"qa", "qa.search"}, "the other group is gone"
        assert contents(checkout) == before
        backend.fail("qa.search", attempt)
    assert atwork("destroy", "qa", "--confirm", "qa").exit_code == 0
    assert backend.read()["stacks"] == {}


def test_a_guard_in_a_group_is_named_before_anything_goes(checkout: Path, backend: FakeBackend) -> None:
    with_groups(checkout, backend)
    content = backend.read()
    content["stacks"]["qa.payments"].append(
        resource("gcp:sql/database:Database", "ledger", "qa.payments", protect=True)
    )
    backend.write(content)
    done = atwork("destroy", "qa", "--confirm", "qa")
    assert "qa.payments: ledger: protect is on as it is deployed" in str(done.exception)
    assert backend.calls == []


def test_another_environment_that_reads_it_is_a_guard_and_its_groups_are_none(
    checkout: Path, backend: FakeBackend
) -> None:
    with_groups(checkout, backend)
    backend.add("old", resource("pulumi:pulumi:StackReference", "upstream", "old", {"name": "organization/atwork/qa"}))
    message = str(atwork("destroy", "qa", "--confirm", "qa").exception)
    assert message.splitlines()[1:] == ["old reads qa as it is deployed; destroy old first"]


def test_a_group_without_a_file_is_reported_with_the_command_that_ends_it(checkout: Path, backend: FakeBackend) -> None:
    with_groups(checkout, backend)
    (checkout / "stacks" / "Pulumi.qa.search.yaml").unlink()
    output = " ".join(atwork("reap").output.split())
    assert "no stacks/Pulumi.qa.search.yaml: bring its file back from git and `pulumi destroy -s qa.search`" in output
