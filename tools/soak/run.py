"""The walk: choose a step, take it, look whether all holds; at the end come to rest."""

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
from tools.soak.actions import ACTIONS, REPAIR, Action, down, unchanged
from tools.soak.engines import StillRunning
from tools.soak.life import Disagreement, Environment, Life


@dataclass
class Result:
    """The figures of a soak, and what went wrong."""

    seed: int
    steps: int = 0
    failure: str = ""
    actions: Counter[str] = field(default_factory=Counter[str])
    figures: Counter[str] = field(default_factory=Counter[str])

    def table(self, seconds: float) -> Table:
        """What is printed at the end."""
        made = Table("what", box=None, pad_edge=False)
        made.add_column("count", justify="right")
        made.add_row("seed", str(self.seed))
        made.add_row("steps", str(self.steps))
        for name, count in sorted(self.actions.items()):
            made.add_row(f"  {name}", str(count))
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
            made.add_row(name, str(self.figures[name]))
        made.add_row("seconds", f"{seconds:.0f}")
        return made

    @staticmethod
    def remove(folder: Path) -> None:
        """Throw the folder of a soak that went well away."""
        shutil.rmtree(folder)


def run(folder: Path, seed: int, steps: int, console: Console) -> Result:
    """Take the steps; a failure ends them and is in the result."""
    life = Life(folder, seed)
    result = Result(seed, figures=life.figures)
    try:
        for environment in life.environments:
            life.up(environment)
            check(life)
        for number in range(1, steps + 1):
            result.steps = number
            action, environment = choose(life.chance, life.environments, result.actions)
            result.actions[action.name] += 1
            began = time.monotonic()
            told = action.run(life, environment)
            check(life)
            console.print(
                f"{number:>4}  {environment.name:<6} {action.name:<14} {told} ({time.monotonic() - began:.1f} s)",
                markup=False,
            )
        _rest(life)
    except (Disagreement, StillRunning) as error:
        result.failure = str(error)
    return result


def choose(
    chance: random.Random, environments: Sequence[Environment], tried: Collection[str]
) -> tuple[Action, Environment]:
    """By chance and weight; but every kind comes once before any comes again.

    Where none of the kinds that are left can be taken, an environment is repaired for them.
    """
    able = [(one, where) for where in environments for one in ACTIONS if one.able(where)]
    left = {one.name for one in ACTIONS} - set(tried)
    if left:
        repairs = [(REPAIR, where) for where in environments if where.cut_off or not where.up]
        able = [one for one in able if one[0].name in left] or repairs
    else:
        environment = chance.choice(environments)
        able = [one for one in able if one[1] is environment]
    return chance.choices(able, [one.weight for one, _ in able])[0]


def check(life: Life) -> None:
    """Raise `Disagreement` with all that does not hold."""
    found = list(_found(life))
    for word in ("orphan", "ghost", "difference", "lock"):
        life.figures[f"{word}s" if word != "lock" else "locks left"] += sum(one.startswith(word) for one in found)
    if found:
        raise Disagreement("\n".join(found))


def _found(life: Life) -> Iterator[str]:
    yield from (f"still running: {one}" for one in life.engines.settled())
    yield from invariants.sandbox_lock(life.home)
    for environment in life.environments:
        if not environment.cut_off:
            yield from (f"lock: {path}" for path in invariants.locks(life.home, environment.name))
            for urn in invariants.excused(life.home, environment.name):
                yield f"undecided: {urn}, although nothing was killed"
        yield from invariants.disagreements(life.home, environment.name, environment.behind)
        life.figures["objects compared"] += len(life.objects(environment))
    secrets = [*life.secrets, life.home.passphrase.read_text()]
    clear = invariants.secrets_in_clear(invariants.changed_files(life.home, life.seen), secrets)
    life.figures["secrets in clear"] += len(clear)
    yield from (f"secret in clear: {path}" for path in clear)
    left = sorted((life.home.checkout / "temporary").glob("*"))
    after_kill = any(one.cut_off for one in life.environments)
    left += invariants.unfinished_files(life.home, after_kill=after_kill)
    if not after_kill:
        left += sorted(life.home.folder.glob(f"{EVENTS_PREFIX}*"))
    yield from (f"left behind: {path.relative_to(life.home.checkout)}" for path in left)


def _rest(life: Life) -> None:
    """Everything converges, and then everything goes."""
    for environment in life.environments:
        life.up(environment)
        check(life)
        unchanged(life, environment)
    for environment in life.environments:
        down(life, environment)
        check(life)
