"""The random walk of a soak: choose an action, run it, check the invariants; at the end destroy everything."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from atwork.engine.stack import EVENTS_PREFIX
from tools.soak import invariants
from tools.soak.actions import ACTIONS, REPAIR, Action
from tools.soak.engines import StillRunning
from tools.soak.life import Disagreement, Life, SoakEnvironment
from tools.soak.updates import down, unchanged


@dataclass
class SoakResult:
    """The figures of a soak, and its failure if there is one."""

    seed: int
    steps: int = 0
    failure: str = ""
    actions: Counter[str] = field(default_factory=Counter[str])
    figures: Counter[str] = field(default_factory=Counter[str])

    def table(self, seconds: float) -> Table:
        """The table that is printed at the end."""
        table = Table("what", box=None, pad_edge=False)
        table.add_column("count", justify="right")
        table.add_row("seed", str(self.seed))
        table.add_row("steps", str(self.steps))
        for name, count in sorted(self.actions.items()):
            table.add_row(f"  {name}", str(count))
        for name in (
            "commands",
            "edits",
            "faults",
            "faults hit",
            "changes behind",
            "kills",
            "cancels",
            "recoveries",
            "secrets planted",
            "objects compared",
            "orphans",
            "ghosts",
            "differences",
            "secrets in clear",
            "locks left",
        ):
            table.add_row(name, str(self.figures[name]))
        table.add_row("seconds", f"{seconds:.0f}")
        return table

    @staticmethod
    def remove(folder: Path) -> None:
        """Delete the folder of a successful soak."""
        shutil.rmtree(folder)


def run(folder: Path, seed: int, steps: int, console: Console) -> SoakResult:
    """Run the steps; the first failure ends the soak and is in the result."""
    life = Life(folder, seed)
    result = SoakResult(seed, figures=life.figures)
    try:
        for environment in life.environments:
            life.up(environment)
            check(life)
        for number in range(1, steps + 1):
            result.steps = number
            action, environment = choose(life.chance, life.environments, result.actions)
            result.actions[action.name] += 1
            began = time.monotonic()
            report = action.run(life, environment)
            check(life)
            console.print(
                f"{number:>4}  {environment.name:<6} {action.name:<14} {report} ({time.monotonic() - began:.1f} s)",
                markup=False,
            )
        _finish(life)
    except (Disagreement, StillRunning) as error:
        result.failure = str(error)
    return result


def choose(
    chance: random.Random, environments: Sequence[SoakEnvironment], tried: Collection[str]
) -> tuple[Action, SoakEnvironment]:
    """An action at random, by weight; every action runs once before any of them runs again.

    If none of the remaining actions is possible, an environment is repaired for them.
    """
    steps = [(action, where) for where in environments for action in ACTIONS if action.possible(where)]
    left = {action.name for action in ACTIONS} - set(tried)
    if left:
        repairs = [(REPAIR, where) for where in environments if where.interrupted or not where.up]
        steps = [(action, where) for action, where in steps if action.name in left] or repairs
    else:
        environment = chance.choice(environments)
        steps = [(action, where) for action, where in steps if where is environment]
    return chance.choices(steps, [action.weight for action, _ in steps])[0]


def check(life: Life) -> None:
    """Raise `Disagreement` with all broken invariants."""
    problems = list(_problems(life))
    for word in ("orphan", "ghost", "difference", "lock"):
        life.figures[f"{word}s" if word != "lock" else "locks left"] += sum(
            problem.startswith(word) for problem in problems
        )
    if problems:
        raise Disagreement("\n".join(problems))


def _problems(life: Life) -> Iterator[str]:
    yield from (f"still running: {process}" for process in life.engines.settled())
    yield from invariants.sandbox_lock(life.home)
    for environment in life.environments:
        if not environment.interrupted:
            yield from (f"lock: {path}" for path in invariants.locks(life.home, environment.name))
            for urn in invariants.excused(life.home, environment.name):
                yield f"pending operation: {urn}, although nothing was killed"
        yield from invariants.disagreements(life.home, environment.name, environment.drifted)
        life.figures["objects compared"] += len(life.objects(environment))
    secrets = [*life.secrets, life.home.passphrase.read_text()]
    clear = invariants.secrets_in_clear(invariants.changed_files(life.home, life.seen), secrets)
    life.figures["secrets in clear"] += len(clear)
    yield from (f"secret in clear: {path}" for path in clear)
    left = sorted((life.home.checkout / "temporary").glob("*"))
    after_kill = any(environment.interrupted for environment in life.environments)
    left += invariants.unfinished_files(life.home, after_kill=after_kill)
    if not after_kill:
        left += sorted(life.home.folder.glob(f"{EVENTS_PREFIX}*"))
    yield from (f"left behind: {path.relative_to(life.home.checkout)}" for path in left)


def _finish(life: Life) -> None:
    """Update all environments until nothing changes, then destroy them."""
    for environment in life.environments:
        life.up(environment)
        check(life)
        unchanged(life, environment)
    for environment in life.environments:
        down(life, environment)
        check(life)
