"""The note that says which run started a process of the engine."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

from atwork.locks.model import Run, folder, machine
from atwork.locks.store import LockStore, StoreError


def mine(pid: int, url: str) -> Run:
    """This run, as the shell of a CI job describes it."""
    return Run(
        pid=pid,
        hostname=socket.gethostname(),
        machine=machine(),
        repository=os.environ.get("GITHUB_REPOSITORY", ""),
        run_id=int(os.environ.get("GITHUB_RUN_ID", "0")),
        attempt=int(os.environ.get("GITHUB_RUN_ATTEMPT", "0")),
        url=url,
        hosted=os.environ.get("RUNNER_ENVIRONMENT") == "github-hosted",
    )


@contextmanager
def noted(store: LockStore | None, stack: str, pid: int, url: str, tell: Callable[[str], None]) -> Generator[None]:
    """Leave the note while a process works; a run that is killed leaves it next to its lock.

    It is a help for the day on which a lock is left: an update goes on where it cannot be written.
    """
    run = mine(pid, url)
    name = f"{folder(stack)}/{run.name}"
    try:
        if store is not None:
            store.write(name, run.model_dump_json().encode())
    except StoreError as error:
        tell(f"No note of this run next to the lock: {error}")
    yield
    try:
        if store is not None:
            store.delete(name)
    except StoreError as error:
        tell(f"The note of this run stays: {error}")
