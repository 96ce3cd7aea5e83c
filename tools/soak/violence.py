"""Kills and cancels, at a random moment of an `up` that has something to do."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from atwork.sandbox.faults.model import Effect, Fault, Operation
from tools.soak import invariants
from tools.soak.engines import Started, kill
from tools.soak.life import Disagreement, Environment, Life

_LONGEST_DELAY = 4.0


def locks_of(life: Life, environment: Environment) -> list[Path]:
    """The engine's locks of a stack."""
    return invariants.locks(life.home, environment.name)


def kill_all(life: Life, environment: Environment) -> str:
    """`kill -9` of the command with engine, program and providers."""
    return _killed(life, environment, lambda started: kill(started.tree()))


def kill_engine(life: Life, environment: Environment) -> str:
    """`kill -9` of the engine alone; the command says that it failed."""
    return _killed(life, environment, lambda started: kill(started.engines()))


def kill_provider(life: Life, environment: Environment) -> str:
    """`kill -9` of the process that serves providers and program; the engine is left alone, and ends."""
    return _killed(life, environment, lambda started: kill(started.tree()[:1]))


def _killed(life: Life, environment: Environment, strike: Callable[[Started], None]) -> str:
    told = life.change(environment, grow=True)
    was_cut_off = environment.cut_off
    started = life.engines.atwork("sandbox", "up", environment.name)
    when = _moment(life, environment)
    if not started.until(when):
        done = life.ended(started)
        life.recovered(environment, done)
        environment.up = True
        return f"{told}: it was done before the kill"
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
    return f"{told}: killed"


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
    told = life.change(environment, grow=True)
    life.faults.add(Fault(effect=Effect.hang, operation=Operation.any, stack=environment.name, seconds=120.0))
    life.figures["faults"] += 1
    started = life.engines.atwork("sandbox", "up", environment.name)
    hung = started.until(lambda: any(one.hits for one in life.faults.all()))
    if hung:
        # The command takes SIGTERM for Ctrl-C; SIGINT is ignored by what was started in the background of a shell.
        with suppress(ProcessLookupError):
            started.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        life.ended(started, code=1)
        life.figures["cancels"] += 1
        life.figures["faults hit"] += 1
        if time.monotonic() - began > 60:
            raise Disagreement(f"Ctrl-C took {time.monotonic() - began:.0f} s")
        left = locks_of(life, environment)
        if left or invariants.excused(life.home, environment.name):
            raise Disagreement(f"Ctrl-C left a lock or something undecided: {left}")
    else:
        life.ended(started)
        environment.up = True
    life.faults.clear()
    environment.up = environment.up or hung
    return f"{told}: {'Ctrl-C' if hung else 'nothing to hang'}"


def lock(life: Life, environment: Environment) -> str:
    """A stale lock stops plain `pulumi`, which names the command that releases it; that command does."""
    if not locks_of(life, environment):
        told = kill_all(life, environment)
        if not locks_of(life, environment):
            return f"{told}; no lock"
    life.ended(
        life.engines.pulumi("up", "-s", environment.name, "--yes", "--skip-preview"), code=1, holding="pulumi cancel"
    )
    life.ended(life.engines.pulumi("cancel", environment.name, "--yes"))
    left = locks_of(life, environment)
    if left:
        raise Disagreement(f"`pulumi cancel` left {left}")
    return "released by `pulumi cancel`, as the refusal said"
