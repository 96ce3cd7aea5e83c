"""`atwork environment list`."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from atwork.checkout import find_checkout
from infra.config import read_all


def listed() -> int:
    """All environments, with who answers for them and when they end."""
    now = datetime.now(UTC)
    table = Table("environment", "kind", "owner", "region", "project", "nodes", "ends", box=None, pad_edge=False)
    for name, one in read_all(find_checkout().stacks).items():
        ends = one.environment.expires_at
        when = "" if ends is None else f"{ends:%Y-%m-%d %H:%M} UTC{' (over)' if ends < now else ''}"
        table.add_row(
            name, one.environment.kind, one.environment.owner, one.region, one.project.id, one.network.nodes, when
        )
    Console(width=160, highlight=False).print(table)
    return 0
