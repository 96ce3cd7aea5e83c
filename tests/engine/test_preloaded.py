"""The fork server has imported what the program and the policies import from libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from atwork.engine.forked import PRELOADED

ROOT = Path(__file__).parents[2]

# In a process of its own, because this one has imported everything. A lazy module is one whose code did not run yet.
_SCRIPT = """
import json, sys
from atwork.engine.fork_server import preload
from pulumi._utils import _LazyModule

def ran():
    return {name for name, module in list(sys.modules.items()) if type(module) is not _LazyModule}

preload(sys.argv[1:])
before = ran()
from support.program import run_stack
import policies.pack
for stack in ("ci", "staging", "production"):
    run_stack(stack)
libraries = ("pulumi", "pulumi_gcp", "pulumi_kubernetes", "pulumi_policy", "pydantic", "requests", "yaml")
print(json.dumps(sorted(name for name in ran() - before if name.split(".")[0] in libraries)))
"""


def test_programs_import_no_library_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *PRELOADED],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
