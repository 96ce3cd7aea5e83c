"""Environments for tests: the command in a checkout, and ephemeral environments with any expiry date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.fake_engine import FakeBackend, resource
from typer.testing import CliRunner, Result

from atwork.cli import app
from atwork.environments.derive import moment

PLACE = ("--folder", "123456789012", "--billing-account", "01AB23-CD45EF-678901")

PUSHES = (
    "note: stacks/Pulumi.ci.yaml: atwork:stack.jenkins.gateway: missing, so that no call of GitHub reaches Jenkins, "
    "which asks for pushes every 5 minutes (this repository) and every 15 (services); add a gateway\n"
)
"""What the check says about a stack file whose Jenkins has no gateway."""


def atwork(*words: str) -> Result:
    return CliRunner().invoke(app, ["environment", *words])


def without_lines(output: str) -> str:
    """What a command printed, with `FILE: KEY` in the place of `FILE:LINE: KEY`."""
    return re.sub(r"(\.ya?ml):\d+: ", r"\1: ", output)


def new(name: str, *words: str) -> Result:
    return atwork("new", name, "--owner", "team-orders", "--no-preview", *words)


def create_ephemeral(name: str, *words: str) -> None:
    """Create an ephemeral environment; fails if the command refuses."""
    done = new(name, *PLACE, *words)
    assert done.exit_code == 0, done.output + str(done.exception)


def ends_in(checkout: Path, name: str, left: timedelta, *, life: timedelta = timedelta(days=7)) -> datetime:
    """Rewrite an ephemeral environment's file so that it expires after the time left; returns the expiry date."""
    end = datetime.now(UTC).replace(microsecond=0) + left
    file = checkout / "stacks" / f"Pulumi.{name}.yaml"
    text = re.sub(r"created_at: .*", f"created_at: '{moment(end - life)}'", file.read_text())
    file.write_text(re.sub(r"expires_at: .*", f"expires_at: '{moment(end)}'", text))
    return end


def contents(checkout: Path) -> dict[Path, bytes]:
    """Every stack file."""
    return {path: path.read_bytes() for path in (checkout / "stacks").iterdir()}


def with_groups(checkout: Path, backend: FakeBackend) -> None:
    """A long-lived environment `qa` without guards, and its groups payments and search, deployed."""
    assert new("qa", "--kind", "long-lived", "--project", "acme-qa", "--number", "1234567").exit_code == 0
    file = checkout / "stacks" / "Pulumi.qa.yaml"
    text = file.read_text().replace("deletion_protection: true", "deletion_protection: false")
    guarded = "high_availability: false"
    file.write_text(text.replace(guarded, f"{guarded}\n        deletion_protection: false"))
    backend.add("qa")
    for group in ("payments", "search"):
        stack = f"qa.{group}"
        (checkout / "stacks" / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
        content = backend.read()
        content["stacks"][stack] = [
            resource("pulumi:pulumi:Stack", f"atwork-{stack}", stack),
            resource("pulumi:pulumi:StackReference", "environment", stack, {"name": "organization/atwork/qa"}),
            resource("kubernetes:core/v1:Namespace", group, stack),
        ]
        backend.write(content)
