"""`make bench`: how long the sandbox takes, as whole commands, and where the time goes. Not a test."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from atwork.engine.build import ensure
from atwork.sandbox.home import here

_PROGRAM_IMPORTS = "import pulumi; import time; s = time.perf_counter(); import infra.config, components.access, \
components.cluster, components.jenkins; import pulumi_gcp as g; g.compute.Network; g.container.Cluster; \
g.sql.User; g.artifactregistry.Repository; import pulumi_kubernetes as k; k.helm.v3.Release; k.core.v1.Namespace; \
print(time.perf_counter() - s)"


def run() -> int:
    """Measure in a copy of the checkout's stack files, so that the user's own sandbox is left alone."""
    console = Console()
    ensure(console)
    checkout = here().checkout
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="atwork-bench-") as name:
        copy = Path(name)
        for part in ("Pulumi.yaml", "stacks", "infra", "policies"):
            (copy / part).symlink_to(checkout / part)
        for what, arguments, budget in (
            ("up from nothing, three stacks", ["up"], 40),
            ("up with no change", ["up"], 15),
            ("preview of all three", ["preview"], 8),
        ):
            console.print(f"measuring: {what}")
            rows.append((what, f"{_timed(copy, arguments):.1f} s", f"<= {budget} s"))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    rows.append(("peak memory of one process (engine included)", f"{peak:.0f} MB", ""))
    imported = subprocess.run([sys.executable, "-c", _PROGRAM_IMPORTS], capture_output=True, text=True, check=True)
    rows.append(("imports of the program, beyond pulumi's own", f"{float(imported.stdout):.2f} s", "<= 1.5 s"))
    table = Table("what", "measured", "aim", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    return 0


def _timed(folder: Path, arguments: list[str]) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-c", "from atwork.cli import main; main()", "sandbox", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=dict(os.environ))
    return time.perf_counter() - started
