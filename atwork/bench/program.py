"""Measurements without the engine: imports of the program, and the forms of a large report."""

from __future__ import annotations

import io
import subprocess
import sys
import time

from rich.console import Console

from atwork.report import markdown, page, terminal
from atwork.report.read import Reading

_IMPORTS = """
import time
start = time.perf_counter()
import pulumi
after_pulumi = time.perf_counter()
import pulumi_gcp as g, pulumi_kubernetes as k
g.compute.Network; g.container.Cluster; g.sql.User; g.artifactregistry.Repository
k.helm.v3.Release; k.core.v1.Namespace; k.networking.v1.NetworkPolicy
after_sdks = time.perf_counter()
import infra.config, components.access, components.cluster, components.jenkins
print(after_pulumi - start, after_sdks - after_pulumi, time.perf_counter() - after_sdks)
"""


def imports() -> tuple[float, float, float]:
    """Seconds to import pulumi, the SDKs of its providers, and our modules; a first run warms the file cache."""
    command = [sys.executable, "-c", _IMPORTS]
    subprocess.run(command, capture_output=True, check=True)
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    pulumi, sdks, modules = map(float, result.stdout.split())
    return pulumi, sdks, modules


def report_seconds(changes: int) -> float:
    """Seconds to read many updates and to show them as a comment, a page and a table."""
    started = time.perf_counter()
    reading = Reading("bench")
    kind = "gcp:storage/bucket:Bucket"
    for number in range(changes):
        urn = f"urn:pulumi:bench::atwork::{kind}::bucket-{number}"
        old, new = ({"type": kind, "urn": urn, "custom": True, "inputs": {"a": value}} for value in (1, 2))
        metadata = {"op": "update", "urn": urn, "type": kind, "old": old, "new": new}
        reading.take({"resourcePreEvent": {"metadata": metadata}})
    report = reading.report(code=0)
    markdown.render([report])
    page.render([report])
    terminal.show([report], Console(file=io.StringIO(), width=160))
    return time.perf_counter() - started
