"""The two places where stacks are: the sandbox of this checkout, and the backend that Pulumi is logged in to."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from rich.console import Console

from atwork.checkout import Checkout
from atwork.engine.build import ensure
from atwork.errors import BackendError
from atwork.locks.holders import holders
from atwork.locks.store import FolderStore
from atwork.locks.store import of as store_of
from atwork.report.run import Place
from atwork.sandbox import recovery
from atwork.sandbox.backend import state_file
from atwork.sandbox.home import Home
from atwork.sandbox.session import deployment, opened
from atwork.sandbox.workspace import POLICIES
from infra import PLATFORM


def is_real() -> bool:
    """Whether the shell names a backend of its own."""
    return bool(os.environ.get("PULUMI_BACKEND_URL")) and ".sandbox" not in os.environ["PULUMI_BACKEND_URL"]


def chosen(checkout: Checkout, console: Console, command: str = "atwork preview") -> AbstractContextManager[Place]:
    """The backend that the shell names, else the sandbox, which `command` holds meanwhile."""
    return backend(checkout, console) if is_real() else sandbox(checkout, console, command)


@contextmanager
def sandbox(checkout: Checkout, console: Console, command: str = "atwork preview") -> Generator[Place]:
    """The sandbox; nobody else changes it meanwhile."""
    home = Home(checkout.root)
    with home.locked(command), opened(home, ensure(console)) as session:

        def state(stack: str) -> Mapping[str, Any] | None:
            return deployment(home, stack) if state_file(home, stack).exists() else None

        def recover(stack: str) -> None:
            recovery.recover(session, stack, console)

        pack = home.workspace / POLICIES
        store = FolderStore(home.state)
        yield Place(
            session.engine.path, home.workspace, session.environment, state, checkout.upstream,
            holders=partial(holders, store), readers=partial(_readers, checkout),
            policies=pack if pack.exists() else None, recover=recover,
        )  # fmt: skip


@contextmanager
def backend(checkout: Checkout, console: Console) -> Generator[Place]:
    """The backend in PULUMI_BACKEND_URL, with the official providers. Previews take no lock and write nothing."""
    engine = ensure(console)

    @contextmanager
    def environment() -> Generator[dict[str, str]]:
        yield {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}

    def pulumi(*words: str) -> str:
        done = subprocess.run(
            [str(engine.path), *words, "--non-interactive"], cwd=checkout.root, capture_output=True, text=True,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            raise BackendError(f"pulumi {words[0]} {words[1]}: {done.stderr.strip()[-800:]}")
        return done.stdout

    there = {str(one["name"]).rpartition("/")[2] for one in json.loads(pulumi("stack", "ls", "--json"))}

    def state(stack: str) -> Mapping[str, Any] | None:
        return json.loads(pulumi("stack", "export", "--stack", stack))["deployment"] if stack in there else None

    pack = checkout.root / POLICIES
    store = store_of(os.environ["PULUMI_BACKEND_URL"])
    yield Place(
        engine.path, checkout.root, environment, state, checkout.upstream,
        holders=partial(holders, store), readers=partial(_readers, checkout), store=store,
        policies=pack if pack.exists() else None,
    )  # fmt: skip


def _readers(checkout: Checkout, stack: str, output: str) -> tuple[str, ...]:
    """The stacks that read an output: all whose file names the stack, of the one output that others read."""
    if not re.match(rf"{PLATFORM}\b", output):
        return ()
    return tuple(name for name in checkout.stack_names() if checkout.upstream(name) == stack)
