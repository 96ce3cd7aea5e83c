"""`atwork service run` of a new service whose images and caches exist."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

from atwork.bench.commands import run_atwork, time_success
from atwork.bench.environments import Row
from atwork.containers.errors import obstacles

_NAME = "pipeline"
_TESTS = re.compile(r"tests in (\d+\.\d) s")
_IDENTITY = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]


def rows(folder: Path) -> list[Row]:
    """Run the pipeline twice; the second time nothing has changed. The environments are up."""
    title, target = "service run of an unchanged repository, beyond its tests", "<= 30 s"
    if missing := obstacles():
        return [(title, f"not measured: {missing[0]}", target)]
    repository = folder / "repositories" / _NAME
    stores = ["--stores", "postgres,redis", "--into", str(repository)]
    new = ["service", "new", _NAME, "--repo", f"https://github.com/acme/{_NAME}", "--owner", "team-bench", *stores]
    time_success(folder, new)
    time_success(folder, ["sandbox", "up"])
    for words in (["init", "--quiet"], ["add", "--all"], [*_IDENTITY, "commit", "--quiet", "--message=Create"]):
        subprocess.run(["git", *words], cwd=repository, check=True)  # noqa: S607 (from PATH)
    run = ["service", "run", str(repository)]
    time_success(folder, run)
    began = time.perf_counter()
    output = run_atwork(folder, run)
    seconds = time.perf_counter() - began
    tests = sum(map(float, _TESTS.findall(output)))
    return [(title, f"{seconds - tests:.1f} s", target), ("  its tests", f"{tests:.1f} s", "")]
