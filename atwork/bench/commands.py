"""Run commands of `atwork` in a folder and measure them: seconds, processor time and memory of their processes."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from atwork.sandbox.home import Home

_SAMPLE_SECONDS = 0.02
_SAMPLES_FOR_SHARED_MEMORY = 25
"""Every 25th sample counts shared memory, because the kernel walks all pages for that."""
_ATWORK = [sys.executable, "-c", "from atwork.cli import main; main()"]
_REPEATS = 3


@dataclass
class Measurement:
    """One command: its duration in seconds, and for each part processor seconds and the maximum memory in MB.

    `peak_memory` is the maximum of all processes together in MB; memory that they share is counted once.
    """

    seconds: float = 0.0
    peak_memory: float = 0.0
    cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    memory: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))


def measure(folder: Path, arguments: list[str], codes: Collection[int] = (0,)) -> Measurement:
    """Measure a command of `atwork` that ends with one of the exit codes, and all processes that it starts."""
    measurement = Measurement()
    started = time.perf_counter()
    command = [*_ATWORK, *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        watcher = threading.Thread(target=_watch, args=(child, measurement))
        watcher.start()
        _, errors = child.communicate()
        measurement.seconds = time.perf_counter() - started
        watcher.join()
    if child.returncode not in codes:
        sys.exit(f"atwork {' '.join(arguments)} failed: {errors.decode()[-1000:]}")
    return measurement


def time_preview(folder: Path, *stacks: str) -> float:
    """Seconds of `atwork preview`, whatever its exit code is."""
    started = time.perf_counter()
    subprocess.run([*_ATWORK, "preview", *stacks], cwd=folder, capture_output=True, check=False)
    return time.perf_counter() - started


def time_success(folder: Path, arguments: list[str]) -> float:
    """Seconds of a command that must succeed."""
    started = time.perf_counter()
    run_atwork(folder, arguments)
    return time.perf_counter() - started


def run_atwork(folder: Path, arguments: list[str]) -> str:
    """The output of a command that must succeed."""
    result = subprocess.run(
        [*_ATWORK, *arguments], cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if result.returncode:
        sys.exit(f"atwork {' '.join(arguments)} failed: {(result.stdout + result.stderr)[-1000:]}")
    return result.stdout


def preview_overhead(folder: Path, stack: str) -> float:
    """Seconds of `atwork preview` beyond plain `pulumi preview` in the same sandbox: the best of three runs each."""
    home = Home(folder)
    plain = [str(home.folder / "bin" / "pulumi"), "preview", "--stack", stack, "--non-interactive"]
    plain += ["--policy-pack", str(home.workspace / "policies")]
    atwork_seconds: list[float] = []
    pulumi_seconds: list[float] = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        subprocess.run(plain, cwd=folder, capture_output=True, check=True)
        pulumi_seconds.append(time.perf_counter() - started)
        atwork_seconds.append(time_preview(folder, stack))
    return min(atwork_seconds) - min(pulumi_seconds)


def _watch(child: subprocess.Popen[bytes], measurement: Measurement) -> None:
    """Sample every process of a command until it ends; what a process uses after its last sample is not counted."""
    used: dict[int, tuple[str, float]] = {}
    try:
        root = psutil.Process(child.pid)
        for sample in itertools.count():
            if child.poll() is not None:
                break
            processes = (root, *root.children(recursive=True))
            if sample % _SAMPLES_FOR_SHARED_MEMORY == 0:
                measurement.peak_memory = max(measurement.peak_memory, sum(map(_proportional_memory, processes)))
            for process in processes:
                try:
                    part, times = _part(process, child.pid), process.cpu_times()
                    used[process.pid] = part, times.user + times.system
                    measurement.memory[part] = max(measurement.memory[part], process.memory_info().rss / 1e6)
                except psutil.Error:
                    continue
            time.sleep(_SAMPLE_SECONDS)
    except psutil.Error:
        pass
    for part, seconds in used.values():
        measurement.cpu[part] += seconds


def _proportional_memory(process: psutil.Process) -> float:
    """MB of a process, with its share of the memory that it shares; 0 if it has ended."""
    try:
        return process.memory_full_info().pss / 1e6
    except psutil.Error:
        return 0.0


def _part(process: psutil.Process, root: int) -> str:
    if process.pid == root:
        return "simulation"  # with the display and the language host
    command = " ".join([process.name(), *process.cmdline()])
    if "program.py" in command or "language-python-exec" in command:
        return "program"
    if "fork_server.py" in command:
        return "policies" if process.name() == "policies" else "imports"
    return "policies" if "policies" in command and "preview" not in command and " up " not in command else "engine"
