"""The random walk of a soak: choose an action, run it, check the invariants; at the end destroy everything."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from atwork.engine.stack import EVENTS_PREFIX
from tools.soak import checkpoint, invariants
from tools.soak.actions import ACTIONS, REPAIR, Action
from tools.soak.engines import StillRunning
from tools.soak.life import Disagreement, Life, SoakEnvironment
from tools.soak.result import SoakResult
from tools.soak.updates import down, unchanged


def run(folder: Path, seed: int, steps: int, console: Console) -> SoakResult:
    """Run the steps, or those that are left after a checkpoint; the first failure ends the soak and is in the result.

    Raises `OtherSeed` if the folder has a checkpoint of a soak with another seed.
    """
    saved = checkpoint.latest(folder)
    if saved is None:
        life = Life.new(checkpoint.project_folder(folder), seed)
        result = SoakResult(seed, figures=life.figures)
    else:
        life, result = checkpoint.restore(folder, saved, seed)
        console.print(f"continues after step {result.steps}")
    before = result.seconds
    began = time.monotonic()
    try:
        if saved is None:
            for environment in life.environments:
                life.up(environment)
                check(life)
        for number in range(result.steps + 1, steps + 1):
            result.steps = number
            _step(life, result, console)
            result.seconds = before + time.monotonic() - began
            if number % checkpoint.INTERVAL == 0:
                checkpoint.save(folder, life, result)
        _finish(life)
    except (Disagreement, StillRunning) as error:
        result.failure = str(error)
    finally:
        life.engines.close()
    result.seconds = before + time.monotonic() - began
    return result


def _step(life: Life, result: SoakResult, console: Console) -> None:
    action, environment = choose(life.chance, life.environments, result.actions)
    result.actions[action.name] += 1
    began = time.monotonic()
    report = action.run(life, environment)
    check(life)
    console.print(
        f"{result.steps:>4}  {environment.name:<6} {action.name:<14} {report} ({time.monotonic() - began:.1f} s)",
        markup=False,
    )


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
