"""`atwork unlock`: take the lock of a run away that has ended, and of no other."""

from __future__ import annotations

import os
import re
from datetime import datetime

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.engine import choice
from atwork.errors import UsageError
from atwork.locks import model
from atwork.locks.judge import AskAttempt, Verdict, judge, of_run
from atwork.locks.model import Lock, Run
from atwork.locks.store import LockStore, StoreError, of

_SHORT = 8
_RUN = re.compile(r"https://[^/]+/(?P<repository>[^/]+/[^/]+)/actions/runs/(?P<run>\d+)(/attempts/(?P<attempt>\d+))?")


def unlock(stack: str, *, run: str, ended: str) -> int:
    """Show who holds a stack and free it where that run has ended; 0 where it is free at the end, else 1."""
    checkout = find_checkout()
    checkout.require(stack)
    console = Console(highlight=False, soft_wrap=True)
    if choice.is_remote():
        backend = os.environ["PULUMI_BACKEND_URL"]
        store = of(backend)
        if store is None:
            raise StoreError(
                f"{backend}: locks are read in file:// and gs:// backends only; `pulumi cancel -s {stack}` removes a "
                "lock of any other backend"
            )
        return free(store, stack, console, local=backend.startswith("file://"), run=run, ended=ended)
    sandbox = choice.sandbox_of(checkout)
    with sandbox.locked("atwork unlock"):
        store = of(sandbox.url)
        assert store is not None  # noqa: S101 (a folder is a kind of backend that is read)
        return free(store, stack, console, local=True, run=run, ended=ended)


def free(
    store: LockStore,
    stack: str,
    console: Console,
    *,
    local: bool,
    run: str = "",
    ended: str = "",
    ask: AskAttempt | None = None,
) -> int:
    """Remove the locks of a stack in one backend if their runs have ended; the exit code is 1 if a lock is kept."""
    locks = model.locks(store, stack)
    if not locks:
        console.print(f"{stack} is not locked.")
        return 0
    ask = ask or asker()
    left = 0
    for lock in locks:
        verdict = _verdict(lock, local=local, run=run, ended=ended, ask=ask)
        console.print(f"{stack}: lock {lock.id[:_SHORT]} of {lock.words(model.now())}: {verdict.why}.")
        if verdict.answer != "ended":
            left += 1
            console.print(_advice(lock, verdict))
            continue
        store.delete(lock.name)
        if lock.run is not None:
            store.delete(f"{model.folder(stack)}/{lock.run.name}")
        console.print("Lock removed.")
    if not left:
        console.print(
            f"What the run left unfinished is in the state: `atwork preview {stack}` shows it, "
            f"`pulumi refresh -s {stack}` compares it with the cloud (docs/runbooks/lost-lock.md)."
        )
    return 1 if left else 0


def _verdict(lock: Lock, *, local: bool, run: str, ended: str, ask: AskAttempt | None) -> Verdict:
    verdict = judge(lock, local=local, ask=ask)
    if verdict.answer != "unknown":
        return verdict
    if run:
        named = _named(run)
        if ask is None:
            raise UsageError("GITHUB_TOKEN is not set; with it GitHub is asked about the run")
        verdict = of_run(lock, named, ask(named.repository, named.run_id, named.attempt))
    elif len(ended) >= _SHORT and lock.id.startswith(ended):
        verdict = Verdict("ended", "you say that its run has ended")
    return verdict


def _named(url: str) -> Run:
    match = _RUN.match(url)
    if match is None:
        raise UsageError(f"--run {url}: give the address of a run, https://github.com/ORG/REPO/actions/runs/NUMBER")
    return Run(
        pid=1,
        hostname="",
        repository=match["repository"],
        run_id=int(match["run"]),
        attempt=int(match["attempt"] or 0),
        url=url,
        hosted=True,  # who names a run knows its machine
    )


def _advice(lock: Lock, verdict: Verdict) -> str:
    if verdict.answer == "alive":
        return "Lock kept: a second update at the same time would damage the state. Wait, or end that run first."
    return (
        f"Lock kept. Check that machine: if its run has ended, run `atwork unlock {lock.stack} --ended "
        f"{lock.id[:_SHORT]}`, or name the run with --run URL, so that GitHub is asked. If it goes on, two updates "
        "would write one state."
    )


def asker() -> AskAttempt | None:
    """A function that asks GitHub about a run, if there is a token."""
    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        return None
    from atwork.github.client import GitHub
    from atwork.locks.judge import Attempt

    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")

    def ask(repository: str, run: int, attempt: int) -> Attempt:
        answer = GitHub(repository, token, api=api).attempt(run, attempt)
        times = (datetime.fromisoformat(answer[key]) for key in ("run_started_at", "updated_at"))
        return Attempt(str(answer["status"]), *times)

    return ask
