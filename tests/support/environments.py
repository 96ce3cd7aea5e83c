"""Environments for tests: a checkout of one's own, the command in it, ephemeral environments that are over."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from typer.testing import CliRunner, Result

from atwork.cli import app
from atwork.environments.derive import moment

PLACE = ("--folder", "123456789012", "--billing-account", "01AB23-CD45EF-678901")


def atwork(*words: str) -> Result:
    return CliRunner().invoke(app, ["environment", *words])


def new(name: str, *words: str) -> Result:
    return atwork("new", name, "--owner", "team-orders", "--no-preview", *words)


def create_ephemeral(name: str, *words: str) -> None:
    """A new ephemeral environment, which must be taken."""
    done = new(name, *PLACE, *words)
    assert done.exit_code == 0, done.output + str(done.exception)


def ends_in(checkout: Path, name: str, left: timedelta, *, life: timedelta = timedelta(days=7)) -> datetime:
    """Rewrite an ephemeral environment's file so that its end is so far away, and return that end."""
    end = datetime.now(UTC).replace(microsecond=0) + left
    file = checkout / "stacks" / f"Pulumi.{name}.yaml"
    text = re.sub(r"created_at: .*", f"created_at: '{moment(end - life)}'", file.read_text())
    file.write_text(re.sub(r"expires_at: .*", f"expires_at: '{moment(end)}'", text))
    return end


def contents(checkout: Path) -> dict[Path, bytes]:
    """Every stack file."""
    return {path: path.read_bytes() for path in (checkout / "stacks").iterdir()}
