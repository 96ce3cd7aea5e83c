"""The sandbox as commands outside of this package use it (atwork/engine/choice.py)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from atwork.checkout import Checkout
from atwork.engine.build import ensure
from atwork.sandbox import state_files
from atwork.sandbox.home import Home
from atwork.sandbox.session import Session, opened


@dataclass(frozen=True)
class LocalSandbox:
    """The sandbox of a checkout."""

    checkout: Checkout

    @property
    def url(self) -> str:
        """URL of its state backend."""
        return f"file://{self._home.state}"

    def deployment(self, stack: str) -> Mapping[str, Any]:
        """The state of a stack on disk; empty if there is none."""
        return state_files.deployment(self._home, stack)

    def locked(self, command: str) -> AbstractContextManager[None]:
        """Lock the sandbox for a command."""
        return self._home.locked(command)

    @contextmanager
    def opened(self, console: Console, command: str) -> Generator[Session]:
        """Lock the sandbox for a command and serve its providers."""
        with self.locked(command), opened(self._home, ensure(console), console) as session:
            yield session

    @property
    def _home(self) -> Home:
        return Home(self.checkout.root)
