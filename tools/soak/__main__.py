"""`make soak [STEPS=300] [SEED=…] [FOLDER=…]`: run random steps and check the invariants after each step."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tools.soak.checkpoint import OtherSeed
from tools.soak.run import run


def main() -> None:
    """Run a soak and print its figures; on a failure, keep the folder and exit with code 1."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=None, help="an interrupted soak there is continued")
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    console = Console(highlight=False, soft_wrap=True)
    folder = (arguments.folder or Path(tempfile.mkdtemp(prefix="atwork-soak-"))).absolute()
    repeat = f"make soak STEPS={arguments.steps} SEED={seed}"
    console.print(f"seed {seed}, {arguments.steps} steps; if interrupted, continue with: {repeat} FOLDER={folder}")
    try:
        result = run(folder, seed, arguments.steps, console)
    except OtherSeed as error:
        parser.error(str(error))
    console.print(result.table())
    if result.failure:
        console.print(f"[red]step {result.steps}[/red]: ", end="")
        console.print(result.failure, markup=False)
        console.print(f"The folder is kept: {folder}\nRepeat: {repeat}")
        sys.exit(1)
    shutil.rmtree(folder)
    console.print(f"Repeat: {repeat}")


if __name__ == "__main__":
    main()
