"""`environment destroy`: guards are named and never lifted, and what goes was meant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from support.environments import PLACE, atwork, contents, create_ephemeral, new
from support.fake_engine import FakeBackend, resource
from support.parsing import record_parsed
from typer.testing import Result

from atwork.errors import UserError


def refused(done: Result) -> str:
    assert isinstance(done.exception, UserError), done.output
    return str(done.exception)


def test_an_ephemeral_environment_goes_with_its_files_once_it_is_named(checkout: Path, backend: FakeBackend) -> None:
    create_ephemeral("demo")
    backend.add("demo")
    assert "there is no terminal for the question; add --confirm demo" in refused(atwork("destroy", "demo"))
    assert "--confirm staging: this is demo" in refused(atwork("destroy", "demo", "--confirm", "staging"))
    assert backend.calls == []
    done = atwork("destroy", "demo", "--confirm", "demo")
    assert done.exit_code == 0, done.output
    assert re.search(r"demo: 1 resources, and the project acme-at-work-demo-....", done.output)
    assert backend.read()["stacks"] == {}
    assert not (checkout / "stacks" / "Pulumi.demo.yaml").exists()


def test_each_stack_file_is_read_once(checkout: Path, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    create_ephemeral("demo")
    backend.add("demo")
    parsed = record_parsed(monkeypatch)
    assert atwork("destroy", "demo", "--confirm", "demo").exit_code == 0
    assert sorted(parsed) == ["ci", "demo", "production", "staging"]


def test_every_guard_is_named_with_its_file_and_key(checkout: Path, backend: FakeBackend) -> None:
    for name in ("ci", "staging", "production"):
        backend.add(name)
    before = contents(checkout)
    lines = refused(atwork("destroy", "production", "--confirm", "production")).splitlines()
    assert lines == [
        "production is guarded; lift this in a reviewed change and deploy it:",
        "stacks/Pulumi.production.yaml: atwork:stack.cluster.deletion_protection: true; set it to false (it guards namespaces, secrets, Redis, keys and addresses too)",
        "stacks/Pulumi.production.yaml: atwork:stack.databases.main.deletion_protection: true; set it to false",
        "stacks/Pulumi.production.yaml: atwork:stack.cluster_backup.lock_days: 7; set it to 0, and wait until the last locked backup may go",
    ]
    file = checkout / "stacks" / "Pulumi.production.yaml"
    file.write_text(
        file.read_text().replace("      services:\n", "      services:\n        deletion_protection: true\n")
    )
    output = refused(atwork("destroy", "production", "--confirm", "production"))
    assert "atwork:stack.node_pools.services.deletion_protection: true; set it to false" in output
    before = contents(checkout)
    assert "staging reads ci; destroy staging first" in refused(atwork("destroy", "ci", "--confirm", "ci"))
    assert backend.calls == []
    assert contents(checkout) == before


def test_a_stack_that_is_read_stays_though_no_file_names_it(checkout: Path, backend: FakeBackend) -> None:
    assert new("qa", "--kind", "long-lived", "--project", "acme-qa", "--number", "1234567").exit_code == 0
    file = checkout / "stacks" / "Pulumi.qa.yaml"
    text = file.read_text().replace("deletion_protection: true", "deletion_protection: false")
    file.write_text(
        text.replace("high_availability: false", "high_availability: false\n        deletion_protection: false")
    )
    reference = resource("pulumi:pulumi:StackReference", "upstream", "old", {"name": "organization/atwork/qa"})
    backend.add("qa")
    backend.add("old", reference)
    message = refused(atwork("destroy", "qa", "--confirm", "qa"))
    assert "old reads qa as it is deployed; destroy old first" in message
    assert backend.calls == []


def test_the_registry_is_a_guard_of_ci(checkout: Path, backend: FakeBackend) -> None:
    for name in ("staging", "production"):
        (checkout / "stacks" / f"Pulumi.{name}.yaml").unlink()
    backend.add("ci")
    message = refused(atwork("destroy", "ci", "--confirm", "ci"))
    assert "stacks/Pulumi.ci.yaml: atwork:stack.registry.deletion_protection: true; set it to false" in message


def test_a_project_that_the_stack_made_is_kept_until_the_file_says_otherwise(
    checkout: Path, backend: FakeBackend
) -> None:
    assert new("qa", "--kind", "long-lived", *PLACE).exit_code == 0
    backend.add("qa")
    assert "project.deletable: false; set it to true, or adopt the project by its number to keep it" in refused(
        atwork("destroy", "qa", "--confirm", "qa")
    )


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (resource("gcp:x:Y", "main", "qa", protect=True), "main: protect is on as it is deployed"),
        (resource("gcp:x:Y", "main", "qa", {"deletionProtection": True}), "main: deletionProtection is on"),
        (
            resource("gcp:x:Y", "main", "qa", {"settings": {"deletionProtectionEnabled": True}}),
            "main: deletionProtectionEnabled is on",
        ),
        (resource("gcp:x:Y", "main", "qa", {"deletionPolicy": "PREVENT"}), "main: deletionPolicy PREVENT is on"),
    ],
)
def test_a_guard_that_is_lifted_in_the_file_alone_still_holds(
    held: dict[str, Any], reason: str, checkout: Path, backend: FakeBackend
) -> None:
    assert new("qa", "--kind", "long-lived", "--project", "acme-qa", "--number", "1234567").exit_code == 0
    file = checkout / "stacks" / "Pulumi.qa.yaml"
    file.write_text(file.read_text().replace("deletion_protection: true", "deletion_protection: false"))
    backend.add("qa")
    content = backend.read()
    # The database of staging has its guard by default, and not in the file.
    file.write_text(
        file.read_text().replace(
            "high_availability: false", "high_availability: false\n        deletion_protection: false"
        )
    )
    content["stacks"]["qa"].append(held)
    backend.write(content)
    message = refused(atwork("destroy", "qa", "--confirm", "qa"))
    assert "qa is guarded as it is deployed:" in message
    assert reason in message
    content["stacks"]["qa"].pop()
    backend.write(content)
    assert atwork("destroy", "qa", "--confirm", "qa").exit_code == 0
    assert backend.read()["stacks"] == {}


def test_a_failure_keeps_state_and_files(checkout: Path, backend: FakeBackend) -> None:
    create_ephemeral("demo")
    backend.add("demo")
    backend.fail("demo", "destroy", "no quota", "no quota")
    done = atwork("destroy", "demo", "--confirm", "demo")
    assert done.exit_code == 1
    assert "no quota" in done.output
    assert (checkout / "stacks" / "Pulumi.demo.yaml").exists()
    assert backend.read()["stacks"].keys() == {"demo"}
