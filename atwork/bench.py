"""`make bench`: how long the sandbox takes, as whole commands, and where the time goes. Not a test."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml
from rich.console import Console
from rich.table import Table

from atwork.checkout import Checkout
from atwork.engine.build import ensure
from atwork.environments import measure
from atwork.sandbox.home import Home, here

_IMPORTS = "import time; s = time.perf_counter(); import pulumi; m = time.perf_counter(); \
import pulumi_gcp as g, pulumi_kubernetes as k; g.compute.Network; g.container.Cluster; g.sql.User; \
g.artifactregistry.Repository; k.helm.v3.Release; k.core.v1.Namespace; k.networking.v1.NetworkPolicy; \
n = time.perf_counter(); import infra.config, components.access, components.cluster, components.jenkins; \
print(m - s, n - m, time.perf_counter() - n)"
_EXTRA = 1000
_SAMPLE_SECONDS = 0.02


@dataclass
class Run:
    """One command: seconds of the clock, and for each part seconds of the processors and the most memory, MB."""

    seconds: float = 0.0
    cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    memory: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))


def run() -> int:
    """Measure in a copy of the checkout's stack files, so that the user's own sandbox is left alone."""
    console = Console()
    ensure(console)
    checkout = here().checkout
    rows: list[tuple[str, str, str]] = []
    runs: dict[str, Run] = {}
    with tempfile.TemporaryDirectory(prefix="atwork-bench-") as name:
        copy = Path(name)
        for part in ("Pulumi.yaml", "infra", "policies"):
            (copy / part).symlink_to(checkout / part)
        for part in ("stacks", "services"):
            shutil.copytree(checkout / part, copy / part)
        for what, arguments, budget in (
            ("up from nothing, all stacks", ["up"], 40),
            ("up with no change", ["up"], 15),
            ("preview of all stacks", ["preview"], 8),
        ):
            console.print(f"measuring: {what}")
            runs[what] = measured = _measured(copy, arguments)
            rows.append((what, f"{measured.seconds:.1f} s", f"<= {budget} s"))
        console.print("measuring: reports of one stack, and of all")
        stacks = Checkout(copy).stack_names()
        first, busy = stacks[0], _with_service(copy)
        slowest = max(_timed(copy, ["preview", stack]) for stack in stacks)
        together = _timed(copy, ["preview"])
        rows.append(("atwork preview of all, in parts of the slowest", f"{together / slowest:.1f}", "<= 1.6"))
        console.print("measuring: a new environment")
        rows += measure.rows(copy, _succeeding)
        console.print("measuring: the report beside plain pulumi preview")
        rows.append((f"atwork preview of {first}, beyond pulumi preview", f"{_beyond(copy, first):+.2f} s", "<= 0.5 s"))
        console.print(f"measuring: {_EXTRA} more resources in {busy}")
        before = _measured(copy, ["up", busy])
        _add_secrets(next((copy / "services").glob("*.yaml")), _EXTRA // 2)
        more = _measured(copy, ["up", busy])
    rows.append(("5,000 changes shown in every form", f"{_shown(5000):.2f} s", "<= 2 s"))
    each = 1000 * (more.seconds - before.seconds) / _EXTRA
    rows.append((f"each of {_EXTRA} more resources, made", f"{each:.1f} ms", "<= 10 ms"))
    ours = sum(more.cpu[part] - before.cpu[part] for part in ("simulation", "policies"))
    rows.append(("  of it our simulation and policies, processor time", f"{1000 * ours / _EXTRA:.1f} ms", ""))
    memory = max(one.memory["simulation"] for one in runs.values())
    rows.append(("memory of the simulation", f"{memory:.0f} MB", "<= 300 MB"))
    rows.append(("  with 1,000 more resources", f"{more.memory['simulation']:.0f} MB", ""))
    pulumi, sdks, ours = _imports()
    rows.append(("imports of the program, beyond pulumi's own", f"{sdks + ours:.2f} s", "<= 1.5 s"))
    rows.append(("  of them the SDKs of the two providers", f"{sdks:.2f} s", ""))
    rows.append(("  pulumi's own, for comparison", f"{pulumi:.2f} s", ""))
    table = Table("what", "measured", "aim", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()
    console.print(_split(runs))
    return 0


def _split(runs: dict[str, Run]) -> Table:
    parts = ("engine", "program", "policies", "simulation")
    table = Table("seconds of the processors", *parts, box=None, pad_edge=False)
    for what, measured in runs.items():
        table.add_row(what, *(f"{measured.cpu[part]:.1f}" for part in parts))
    return table


def _measured(folder: Path, arguments: list[str]) -> Run:
    made = Run()
    command = [sys.executable, "-c", "from atwork.cli import main; main()", "sandbox", *arguments]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        watcher = threading.Thread(target=_watch, args=(child, made))
        watcher.start()
        _, errors = child.communicate()
        made.seconds = time.perf_counter() - started
        watcher.join()
    if child.returncode:
        sys.exit(f"atwork sandbox {' '.join(arguments)} failed: {errors.decode()[-1000:]}")
    return made


def _timed(folder: Path, arguments: list[str]) -> float:
    """Seconds of a command that leaves with 0 or 2."""
    started = time.perf_counter()
    command = [sys.executable, "-c", "from atwork.cli import main; main()", *arguments]
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return time.perf_counter() - started


def _succeeding(folder: Path, arguments: list[str]) -> float:
    """Seconds of a command that must leave with 0."""
    started = time.perf_counter()
    command = [sys.executable, "-c", "from atwork.cli import main; main()", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"atwork {' '.join(arguments)} failed: {(done.stdout + done.stderr)[-1000:]}")
    return time.perf_counter() - started


def _beyond(folder: Path, stack: str) -> float:
    """Seconds of the report beyond the plain engine's, in the same sandbox: the best of three in turn."""
    plain = [str(Home(folder).folder / "bin" / "pulumi"), "preview", "--stack", stack, "--non-interactive"]
    plain += ["--policy-pack", str(Home(folder).workspace / "policies")]
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(plain, cwd=folder, capture_output=True, check=True)
        theirs.append(time.perf_counter() - started)
        ours.append(_timed(folder, ["preview", stack]))
    return min(ours) - min(theirs)


def _shown(count: int) -> float:
    """Seconds to read and show so many updates, as comment, page and table."""
    import io

    from atwork.report import markdown, page, terminal
    from atwork.report.read import Reading

    started = time.perf_counter()
    reading = Reading("bench")
    for number in range(count):
        kind = "gcp:storage/bucket:Bucket"
        urn = f"urn:pulumi:bench::atwork::{kind}::bucket-{number}"
        old, new = ({"type": kind, "urn": urn, "custom": True, "inputs": {"a": one}} for one in (1, 2))
        reading.take(
            {"resourcePreEvent": {"metadata": {"op": "update", "urn": urn, "type": kind, "old": old, "new": new}}}
        )
    report = reading.report(code=0)
    markdown.render([report])
    page.render([report])
    terminal.show([report], Console(file=io.StringIO(), width=160))
    return time.perf_counter() - started


def _watch(child: subprocess.Popen[bytes], made: Run) -> None:
    """Look at every process below the command until it ends; what a process used in its last moment is not seen."""
    used: dict[int, tuple[str, float]] = {}
    try:
        root = psutil.Process(child.pid)
        while child.poll() is None:
            for one in (root, *root.children(recursive=True)):
                try:
                    part, times = _part(one, child.pid), one.cpu_times()
                    used[one.pid] = part, times.user + times.system
                    made.memory[part] = max(made.memory[part], one.memory_info().rss / 1e6)
                except psutil.Error:
                    continue
            time.sleep(_SAMPLE_SECONDS)
    except psutil.Error:
        pass
    for part, seconds in used.values():
        made.cpu[part] += seconds


def _part(process: psutil.Process, root: int) -> str:
    if process.pid == root:
        return "simulation"  # and the display, and the language host
    words = " ".join(process.cmdline())
    if "program.py" in words or "language-python-exec" in words:
        return "program"
    return "policies" if "policies" in words and "preview" not in words and " up " not in words else "engine"


def _with_service(folder: Path) -> str:
    """The first environment of the first service."""
    service = yaml.safe_load(next((folder / "services").glob("*.yaml")).read_text())
    return str(next(iter(service["environments"])))


def _add_secrets(path: Path, count: int) -> None:
    """Secrets of a service, each of two resources: itself and a reader's right."""
    service = yaml.safe_load(path.read_text())
    service["secrets"] += [f"bench-{number}" for number in range(count)]
    path.write_text(yaml.safe_dump(service, sort_keys=False))


def _imports() -> tuple[float, float, float]:
    """Seconds for pulumi, the SDKs of its providers, and our modules; the first run fills the files' cache."""
    command = [sys.executable, "-c", _IMPORTS]
    subprocess.run(command, capture_output=True, check=True)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    pulumi, sdks, ours = map(float, done.stdout.split())
    return pulumi, sdks, ours
