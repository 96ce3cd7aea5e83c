"""Whether the run that holds a lock has ended. Nothing is guessed: what cannot be proved is not known."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from atwork.engine.process import alive
from atwork.locks.model import Lock, Run, machine

Answer = Literal["ended", "alive", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """The answer, and why in one sentence."""

    answer: Answer
    why: str


@dataclass(frozen=True)
class Attempt:
    """What GitHub says of one attempt of a run."""

    status: str
    started: datetime
    updated: datetime

    @property
    def over(self) -> bool:
        """Whether it has ended; `waiting`, `queued` and every word that is not known have not."""
        return self.status == "completed"


AskAttempt = Callable[[str, int, int], Attempt]
"""Asks GitHub: repository, number of the run, attempt (0 for the newest)."""


def judge(lock: Lock, *, local: bool, ask: AskAttempt | None) -> Verdict:
    """Whether the lock's run has ended. `local` is a backend in a folder, which is of this machine."""
    owner, run = lock.owner, lock.run
    if owner is None:
        return Verdict("unknown", "the lock is cut off and does not say whose it is")
    here = owner.hostname == socket.gethostname()
    ours = run is not None and run.machine != "" and run.machine == machine()
    if here and (local or ours):
        if alive(owner.pid, owner.timestamp):
            return Verdict("alive", f"process {owner.pid} lives on this machine")
        return Verdict("ended", f"process {owner.pid} of this machine is gone")
    if run is not None and run.run_id and ask is not None:
        return of_run(lock, run, ask(run.repository, run.run_id, run.attempt))
    if here and alive(owner.pid, owner.timestamp):
        return Verdict("alive", f"process {owner.pid} lives on this machine, and has the name of the lock's")
    address = f"; its run is {run.url}" if run is not None and run.url else ""
    return Verdict("unknown", f"it was taken on {owner.hostname}, which cannot be asked from here{address}")


def of_run(lock: Lock, run: Run, attempt: Attempt) -> Verdict:
    """Whether a lock's run has ended, as GitHub reports it: the run has ended, and the lock was taken while it ran."""
    if lock.owner is None:
        return Verdict("unknown", "the lock is cut off and does not say when it was taken")
    if not attempt.over:
        return Verdict("alive", f"GitHub says that {run.url} is {attempt.status.replace('_', ' ')}")
    if not attempt.started <= lock.owner.timestamp <= attempt.updated:
        # Machines made for a run get the same names and numbers again.
        span = f"{attempt.started:%Y-%m-%d %H:%M} to {attempt.updated:%H:%M} UTC"
        return Verdict("unknown", f"{run.url} ran from {span}, and the lock is of another time: it is not this run's")
    if not run.hosted:
        return Verdict(
            "unknown", f"{run.url} has ended, but its machine may still exist, and a process may go on there"
        )
    return Verdict("ended", f"GitHub says that {run.url} has ended, and its machine is gone with it")
