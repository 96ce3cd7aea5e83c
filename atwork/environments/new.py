"""`atwork environment new`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from atwork.environments import files
from atwork.environments.draft import Derived, Wanted, derived
from atwork.sandbox.home import Home, here


def new(wanted: Wanted, *, dry_run: bool) -> int:
    """Write the stack file of a new environment, and its line in the stack that it reads."""
    home, console = here(), Console(highlight=False, soft_wrap=True)
    made = derived(home, wanted, datetime.now(UTC))
    console.print(_shown(made))
    if dry_run:
        console.print("Nothing is written (--dry-run). The file would be:\n")
        console.print(made.text, markup=False)
        return 0
    files.replace(made.file, made.text)
    if made.upstream_file is not None:
        files.replace(made.upstream_file, made.upstream_text)
    console.print(f"Wrote {_short(home, made.file)}", end="")
    console.print(f" and a line in {_short(home, made.upstream_file)}" if made.upstream_file is not None else "")
    console.print(f"Try it:  atwork sandbox up {made.settings['upstream']} {wanted.name}")
    console.print("For real: a pull request with both files; its preview shows the new environment before it exists.")
    return 0


def _shown(made: Derived) -> Table:
    settings = made.settings
    table = Table("derived", "value", box=None, pad_edge=False)
    environment = settings["environment"]
    rows = {
        "environment": f"{environment['kind']}, {environment['owner']}",
        "ends": environment.get("expires_at", "never"),
        "project": settings["project"]["id"],
        "region": settings["region"]
        + (f", zone {settings['cluster']['zone']}" if "zone" in settings["cluster"] else ""),
        "nodes": settings["network"]["nodes"],
        "pods": settings["network"]["pods"],
        "node pools": ", ".join(
            f"{key} {pool['min_nodes']} to {pool['max_nodes']} {pool['machine_type']}"
            for key, pool in settings["node_pools"].items()
        ),
        "databases": ", ".join(f"{key} {one['tier']}" for key, one in settings.get("databases", {}).items()) or "none",
    }
    for key, value in rows.items():
        table.add_row(key, str(value))
    return table


def _short(home: Home, path: Path | None) -> str:
    return "" if path is None else str(path.relative_to(home.checkout))
