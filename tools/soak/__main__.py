"""`make soak [STEPS=300] [SEED=…]`: run random steps and check the invariants after each step."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tools.soak.run import run


def main() -> None:
    """Run a soak and print its figures; on a failure, keep the folder and exit with code 1."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    console = Console(highlight=False, soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="atwork-soak-"))
    began = time.monotonic()
    console.print(f"seed {seed}, {arguments.steps} steps, in {folder}")
    result = run(folder, seed, arguments.steps, console)
    console.print(result.table(time.monotonic() - began))
    command = f"make soak STEPS={arguments.steps} SEED={seed}"
    if result.failure:
        console.print(f"[red]step {result.steps}[/red]: ", end="")
        console.print(result.failure, markup=False)
        console.print(f"The folder is kept: {folder}\nRepeat: {command}")
        sys.exit(1)
    result.remove(folder)
    console.print(f"Repeat: {command}")


if __name__ == "__main__":
    main()
