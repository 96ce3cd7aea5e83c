"""All measurements, as tables."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from atwork.bench import checks, environments, groups, pipelines
from atwork.bench.catalogs import add_service
from atwork.bench.commands import Measurement, measure, preview_overhead, time_preview
from atwork.bench.environments import Row
from atwork.bench.program import imports, report_seconds
from atwork.checkout import Checkout
from atwork.engine.build import ensure
from atwork.group_files import write_stack_files
from atwork.sandbox.home import here
from infra.catalog import read_all as read_services
from infra.config import read_all
from infra.promotion import release_order
from infra.stack_name import StackName

_EXTRA_RESOURCES = 1000
_CHANGES = 5000
_COMMANDS = (
    ("up from nothing, all stacks", ["up"], 40),
    ("up with no change", ["up"], 15),
    ("preview of all stacks", ["preview"], 8),
)


def run() -> int:
    """Measure in a copy of the checkout's stack files, so that the sandbox of the user does not change."""
    console = Console()
    ensure(console)
    measurements: dict[str, Measurement] = {}
    with tempfile.TemporaryDirectory(prefix="atwork-bench-") as name:
        folder = Path(name)
        _copy(here().checkout, folder)
        rows: list[Row] = []
        for title, arguments, target in _COMMANDS:
            console.print(f"measuring: {title}")
            measurements[title] = measure(folder, ["sandbox", *arguments])
            rows.append((title, f"{measurements[title].seconds:.1f} s", f"<= {target} s"))
        memory = max(measurement.memory["simulation"] for measurement in measurements.values())
        rows.append(("memory of the simulation", f"{memory:.0f} MB", "<= 300 MB"))
        console.print("measuring: reports")
        rows += _reports(folder)
        console.print("measuring: a new environment")
        rows += environments.rows(folder)
        console.print(f"measuring: {_EXTRA_RESOURCES} more resources")
        rows += _more_resources(folder)
        console.print("measuring: the pipeline of a service")
        rows += pipelines.rows(folder)
        console.print("measuring: groups of services")
        rows += groups.rows(folder)
        console.print("measuring: the check of many files")
        many = folder / "many"
        many.mkdir()
        _copy(here().checkout, many)
        rows += checks.rows(many)
    rows += _imports()
    console.print(_table(rows))
    console.print()
    console.print(_processor_table(measurements))
    return 0


def _copy(checkout: Path, folder: Path) -> None:
    for part in ("Pulumi.yaml", "infra", "policies", "delivery"):
        (folder / part).symlink_to(checkout / part)
    for part in ("stacks", "services"):
        shutil.copytree(checkout / part, folder / part)


def _reports(folder: Path) -> list[Row]:
    stacks = Checkout(folder).stack_names()
    slowest = max(time_preview(folder, stack) for stack in stacks)
    overhead = preview_overhead(folder, stacks[0])
    return [
        ("atwork preview of all, relative to the slowest", f"{time_preview(folder) / slowest:.1f}", "<= 1.6"),
        (f"atwork preview of {stacks[0]}, beyond pulumi preview", f"{overhead:+.2f} s", "<= 0.5 s"),
        (f"{_CHANGES} changes shown in every form", f"{report_seconds(_CHANGES):.2f} s", "<= 2 s"),
    ]


def _more_resources(folder: Path) -> list[Row]:
    """The cost of each resource of a group's stack: a service with many more secrets, each with a grant."""
    environments = read_all(folder / "stacks")
    stack = StackName(release_order(environments)[0], "large")
    path = add_service(folder, "large", "large", [stack.environment])
    write_stack_files(folder, "large", environments, read_services(folder / "services"))
    before = measure(folder, ["sandbox", "up", str(stack)])
    preview_before = time_preview(folder, str(stack))
    _add_secrets(path, _EXTRA_RESOURCES // 2)
    after = measure(folder, ["sandbox", "up", str(stack)])
    preview_after = time_preview(folder, str(stack))
    seconds, preview_seconds = after.seconds - before.seconds, preview_after - preview_before
    own_seconds = sum(after.cpu[part] - before.cpu[part] for part in ("simulation", "policies"))
    return [
        (f"up with {_EXTRA_RESOURCES} more resources, each", _each(seconds), "<= 10 ms"),
        ("  processor time of simulation and policies", _each(own_seconds), ""),
        ("  memory of the simulation with them", f"{after.memory['simulation']:.0f} MB", ""),
        ("preview of them without a change, each", _each(preview_seconds), "<= 25 ms"),
    ]


def _each(seconds: float) -> str:
    return f"{1000 * seconds / _EXTRA_RESOURCES:.1f} ms"


def _add_secrets(path: Path, count: int) -> None:
    service = yaml.safe_load(path.read_text())
    service["secrets"] = [f"bench-{number}" for number in range(count)]
    path.write_text(yaml.safe_dump(service, sort_keys=False))


def _imports() -> list[Row]:
    pulumi, sdks, modules = imports()
    return [
        ("imports of the program, without pulumi", f"{sdks + modules:.2f} s", "<= 1.5 s"),
        ("  SDKs of the two providers", f"{sdks:.2f} s", ""),
        ("  pulumi, for comparison", f"{pulumi:.2f} s", ""),
    ]


def _table(rows: list[Row]) -> Table:
    table = Table("measurement", "value", "target", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    return table


def _processor_table(measurements: Mapping[str, Measurement]) -> Table:
    parts = ("engine", "imports", "program", "policies", "simulation")
    table = Table("processor seconds", *parts, box=None, pad_edge=False)
    for title, measurement in measurements.items():
        table.add_row(title, *(f"{measurement.cpu[part]:.1f}" for part in parts))
    return table
