"""Kills and cancels, at a random moment of an `up` that has something to do."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from atwork.sandbox.faults.model import Effect, Fault, Operation
from tools.soak import invariants
from tools.soak.engines import Started, kill
from tools.soak.life import Disagreement, Environment, Life

_LONGEST_DELAY = 4.0


def locks_of(life: Life, environment: Environment) -> list[Path]:
    """The engine's locks of a stack."""
    return invariants.locks(life.home, environment.name)


Strike = Callable[[Started], None]


def kill_all(life: Life, environment: Environment) -> str:
    """`kill -9` of the command with engine, program and providers."""
    return _killed(life, environment, _everything)


def kill_engine(life: Life, environment: Environment) -> str:
    """`kill -9` of the engine alone; the command says that it failed."""
    return _killed(life, environment, lambda started: kill(started.engines()))


def kill_provider(life: Life, environment: Environment) -> str:
    """`kill -9` of the process that serves providers and program; the engine is left alone, and ends."""
    return _killed(life, environment, lambda started: kill(started.tree()[:1]))


def _everything(started: Started) -> None:
    kill(started.tree())


def _killed(life: Life, environment: Environment, strike: Strike) -> str:
    """Kill at a random moment; where the command was done before, kill another one while a call hangs."""
    changed = life.change(environment, grow=True)
    started = life.engines.atwork("sandbox", "up", environment.name)
    if started.until(_moment(life, environment)):
        _end(life, environment, started, strike)
        return f"{changed}: killed"
    life.recovered(environment, life.ended(started))
    environment.up = True
    return f"{changed}: done before the kill; {_killed_in_a_call(life, environment, strike)}"


def _killed_in_a_call(life: Life, environment: Environment, strike: Strike) -> str:
    """Kill while the first change hangs, so that the engine holds its lock and has something undecided."""
    with _hanging_update(life, environment) as (changed, started):
        _end(life, environment, started, strike)
    return f"{changed}: killed in a call"


def _end(life: Life, environment: Environment, started: Started, strike: Strike) -> None:
    was_cut_off = environment.cut_off
    strike(started)
    life.figures["kills"] += 1
    done = life.ended(started, code=None)
    if not done.code:
        # The blow came after the last change, while the command was ending.
        life.recovered(environment, done)
    environment.cut_off, environment.up = True, True
    if was_cut_off and "comparing the state with the cloud" in done.printed:
        life.figures["recoveries"] += 1
        environment.behind.clear()


@contextmanager
def _hanging_update(life: Life, environment: Environment) -> Generator[tuple[str, Started]]:
    """A change of the stack file, and its update, whose first changing call hangs longer than any command may take."""
    for operation in (Operation.create, Operation.update, Operation.delete):
        life.faults.add(Fault(effect=Effect.hang, operation=operation, stack=environment.name, seconds=3600.0))
    life.figures["faults"] += 1
    changed, started = _update(life, environment)
    if not started.until(lambda: _any_hit(life)):
        # The change took back what an interrupted update had not done. After that, every change has something to do.
        life.recovered(environment, life.ended(started))
        environment.up = True
        taken_back, (changed, started) = changed, _update(life, environment)
        changed = f"{taken_back}, {changed}"
        if not started.until(lambda: _any_hit(life)):
            raise Disagreement(f"nothing hung:\n{started.ended().printed[-2000:]}")
    yield changed, started
    life.figures["faults hit"] += 1
    life.faults.clear()


def _update(life: Life, environment: Environment) -> tuple[str, Started]:
    return life.change(environment, grow=True), life.engines.atwork("sandbox", "up", environment.name)


def _any_hit(life: Life) -> bool:
    return any(fault.hits for fault in life.faults.all())


def _moment(life: Life, environment: Environment) -> Callable[[], bool]:
    """A random moment after the engine has its lock: after some changes in the cloud, or after some time."""
    changes = life.chance.randrange(0, 12)
    delay = life.chance.uniform(0.0, _LONGEST_DELAY)
    by_changes = life.chance.random() < 0.6
    before = life.engines.objects()
    locked: list[float] = []

    def when() -> bool:
        if not locked and locks_of(life, environment):
            locked.append(time.monotonic())
        if not locked:
            return False
        passed = time.monotonic() - locked[0]
        return passed >= (delay if not by_changes else 2 * _LONGEST_DELAY) or (
            by_changes and abs(life.engines.objects() - before) >= changes
        )

    return when


def cancel(life: Life, environment: Environment) -> str:
    """Ctrl-C while a call hangs: it ends in order, the lock is released and nothing is undecided."""
    with _hanging_update(life, environment) as (changed, started):
        # The command takes SIGTERM for Ctrl-C; SIGINT is ignored by what was started in the background of a shell.
        with suppress(ProcessLookupError):
            started.process.send_signal(signal.SIGTERM)
        life.ended(started, code=1)
    life.figures["cancels"] += 1
    environment.up = True
    left = locks_of(life, environment)
    if left or invariants.excused(life.home, environment.name):
        raise Disagreement(f"Ctrl-C left a lock or something undecided: {left}")
    return f"{changed}: Ctrl-C"


def lock(life: Life, environment: Environment) -> str:
    """A stale lock stops plain `pulumi`, which names the command that releases it; that command does."""
    if not locks_of(life, environment):
        if environment.cut_off:
            life.up(environment)
        _killed_in_a_call(life, environment, _everything)
    life.ended(
        life.engines.pulumi("up", "-s", environment.name, "--yes", "--skip-preview"), code=1, holding="pulumi cancel"
    )
    life.ended(life.engines.pulumi("cancel", environment.name, "--yes"))
    left = locks_of(life, environment)
    if left:
        raise Disagreement(f"`pulumi cancel` left {left}")
    return "released by `pulumi cancel`, as the refusal advises"
