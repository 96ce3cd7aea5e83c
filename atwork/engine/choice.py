"""Which backend a command uses: the one in PULUMI_BACKEND_URL, otherwise the sandbox of the checkout.

The sandbox is above this package. `atwork/cli.py` registers it, so that commands use it without importing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from rich.console import Console

from atwork.checkout import Checkout
from atwork.engine import forked
from atwork.engine.backend import Backend
from atwork.engine.build import ensure
from atwork.engine.locate import is_installed
from atwork.engine.remote import RemoteBackend, remote_backend

_URL = "PULUMI_BACKEND_URL"
_SANDBOX = ".sandbox"


class Sandbox(Protocol):
    """The sandbox of a checkout, as commands use it."""

    @property
    def url(self) -> str:
        """Address of its state."""
        ...

    def deployment(self, stack: str) -> Mapping[str, Any]:
        """The state of a stack as it is on disk; empty if there is none. Takes no lock."""
        ...

    def locked(self, command: str) -> AbstractContextManager[None]:
        """Hold the sandbox for a command."""
        ...

    def opened(self, console: Console, command: str) -> AbstractContextManager[Backend]:
        """Hold the sandbox for a command and serve its providers."""
        ...


_registered: list[Callable[[Checkout], Sandbox]] = []


def register_sandbox(sandbox: Callable[[Checkout], Sandbox]) -> None:
    """Set what the sandbox of a checkout is."""
    _registered[:] = [sandbox]


def sandbox_of(checkout: Checkout) -> Sandbox:
    """The sandbox of a checkout."""
    return _registered[0](checkout)


def is_remote() -> bool:
    """Whether PULUMI_BACKEND_URL names a backend other than a sandbox."""
    return bool(os.environ.get(_URL)) and _SANDBOX not in os.environ[_URL]


def prepare_programs() -> None:
    """Start to import what programs import, for a command that will run some in the sandbox.

    Only an engine that was built has no way of its own to run Python.
    """
    if forked.POSSIBLE and not is_remote() and not is_installed():
        forked.SERVER.prepare()


def remote(checkout: Checkout, console: Console) -> RemoteBackend:
    """The backend in PULUMI_BACKEND_URL."""
    return remote_backend(os.environ[_URL], ensure(console).path, checkout)


def chosen(checkout: Checkout, console: Console, command: str = "atwork preview") -> AbstractContextManager[Backend]:
    """The backend in PULUMI_BACKEND_URL, otherwise the sandbox, which the command holds meanwhile."""
    if is_remote():
        return nullcontext(remote(checkout, console))
    return sandbox_of(checkout).opened(console, command)


def deployments(checkout: Checkout, console: Console) -> Callable[[str], Mapping[str, Any]]:
    """Reads the state of a stack, empty if there is none; takes no lock."""
    if not is_remote():
        return sandbox_of(checkout).deployment
    backend = remote(checkout, console)
    return lambda stack: backend.deployment(stack) or {}
