"""Kills and cancels, at a random moment of an `up` that has changes to make."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from atwork.sandbox.faults.model import Effect, Fault, Operation
from tools.soak import invariants
from tools.soak.engines import Started, kill
from tools.soak.life import Disagreement, Life, SoakEnvironment

_LONGEST_DELAY = 4.0


Interrupt = Callable[[Started], None]


def kill_all(life: Life, environment: SoakEnvironment) -> str:
    """`kill -9` of the command with engine, program and providers."""
    return _killed(life, environment, _everything)


def kill_engine(life: Life, environment: SoakEnvironment) -> str:
    """`kill -9` of the engine alone; the command reports the failure."""
    return _killed(life, environment, lambda started: kill(started.engines()))


def kill_provider(life: Life, environment: SoakEnvironment) -> str:
    """`kill -9` of the process that serves providers and program; the engine ends without it."""
    return _killed(life, environment, lambda started: kill(started.tree()[:1]))


def _everything(started: Started) -> None:
    kill(started.tree())


def _killed(life: Life, environment: SoakEnvironment, interrupt: Interrupt) -> str:
    """Kill an update at a random moment; if it ends before, kill another update while a call hangs."""
    changed = life.change(environment, grow=True)
    started = life.engines.atwork("sandbox", "up", environment.name)
    if started.until(_moment(life, environment)):
        _end(life, environment, started, interrupt)
        return f"{changed}: killed"
    life.recovered(environment, life.ended(started))
    environment.up = True
    return f"{changed}: done before the kill; {_killed_in_a_call(life, environment, interrupt)}"


def _killed_in_a_call(life: Life, environment: SoakEnvironment, interrupt: Interrupt) -> str:
    """Kill while the first change hangs: the engine holds its lock and has a pending operation."""
    with _hanging_update(life, environment) as (changed, started):
        _end(life, environment, started, interrupt)
    return f"{changed}: killed in a call"


def _end(life: Life, environment: SoakEnvironment, started: Started, interrupt: Interrupt) -> None:
    was_interrupted = environment.interrupted
    interrupt(started)
    life.figures["kills"] += 1
    done = life.ended(started, code=None)
    if not done.code:
        # The kill came after the last change, at the end of the command.
        life.recovered(environment, done)
    environment.interrupted, environment.up = True, True
    if was_interrupted and "comparing the state with the cloud" in done.printed:
        life.figures["recoveries"] += 1
        environment.drifted.clear()


@contextmanager
def _hanging_update(life: Life, environment: SoakEnvironment) -> Generator[tuple[str, Started]]:
    """Edit the stack file and start an update whose first changing call hangs longer than any command may take."""
    for operation in (Operation.create, Operation.update, Operation.delete):
        life.faults.add(Fault(effect=Effect.hang, operation=operation, stack=environment.name, seconds=3600.0))
    life.figures["faults"] += 1
    changed, started = _update(life, environment)
    if not started.until(lambda: _any_hit(life)):
        # The edit reverted what an interrupted update had not done. After that, every edit changes something.
        life.recovered(environment, life.ended(started))
        environment.up = True
        reverted, (changed, started) = changed, _update(life, environment)
        changed = f"{reverted}, {changed}"
        if not started.until(lambda: _any_hit(life)):
            raise Disagreement(f"no call hung:\n{started.ended().printed[-2000:]}")
    yield changed, started
    life.figures["faults hit"] += 1
    life.faults.clear()


def _update(life: Life, environment: SoakEnvironment) -> tuple[str, Started]:
    return life.change(environment, grow=True), life.engines.atwork("sandbox", "up", environment.name)


def _any_hit(life: Life) -> bool:
    return any(fault.hits for fault in life.faults.all())


def _moment(life: Life, environment: SoakEnvironment) -> Callable[[], bool]:
    """A random moment after the engine took its lock: after some changes in the cloud, or after some time."""
    changes = life.chance.randrange(0, 12)
    delay = life.chance.uniform(0.0, _LONGEST_DELAY)
    by_changes = life.chance.random() < 0.6
    before = life.engines.objects()
    locked: list[float] = []

    def reached() -> bool:
        if not locked and invariants.locks(life.home, environment.name):
            locked.append(time.monotonic())
        if not locked:
            return False
        passed = time.monotonic() - locked[0]
        return passed >= (delay if not by_changes else 2 * _LONGEST_DELAY) or (
            by_changes and abs(life.engines.objects() - before) >= changes
        )

    return reached


def cancel(life: Life, environment: SoakEnvironment) -> str:
    """Ctrl-C while a call hangs: the update ends cleanly, releases the lock and leaves no pending operation."""
    with _hanging_update(life, environment) as (changed, started):
        # The command handles SIGTERM as Ctrl-C; programs that a shell starts in the background ignore SIGINT.
        started.process.terminate()
        life.ended(started, code=1)
    life.figures["cancels"] += 1
    environment.up = True
    left = invariants.locks(life.home, environment.name)
    if left or invariants.excused(life.home, environment.name):
        raise Disagreement(f"Ctrl-C left locks {left} or a pending operation")
    return f"{changed}: Ctrl-C"


def lock(life: Life, environment: SoakEnvironment) -> str:
    """A stale lock stops plain `pulumi`, which names the command that releases it; that command works."""
    if not invariants.locks(life.home, environment.name):
        if environment.interrupted:
            life.up(environment)
        _killed_in_a_call(life, environment, _everything)
    life.ended(
        life.engines.pulumi("up", "-s", environment.name, "--yes", "--skip-preview"), code=1, holding="pulumi cancel"
    )
    life.ended(life.engines.pulumi("cancel", environment.name, "--yes"))
    left = invariants.locks(life.home, environment.name)
    if left:
        raise Disagreement(f"`pulumi cancel` left {left}")
    return "released by `pulumi cancel`, as the refusal advises"
