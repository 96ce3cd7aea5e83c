"""The backend of `FakeBackend`, as commands use it."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.fake_engine import FakeBackend

from atwork.engine.backend import Backend


class FakeRemote(Backend):
    """The backend of stacks in the file."""

    def __init__(self, stacks: FakeBackend) -> None:
        self._stacks = stacks

    @property
    def url(self) -> str:
        return ""

    @property
    def program(self) -> Path:
        return self._stacks.program

    @property
    def project(self) -> Path:
        return self._stacks.path.parent

    @contextmanager
    def environment(self) -> Generator[dict[str, str]]:
        yield {**os.environ, "FAKE_BACKEND": str(self._stacks.path)}

    def deployment(self, stack: str) -> dict[str, Any] | None:
        resources = self._stacks.read()["stacks"].get(stack)
        return None if resources is None else {"resources": resources}

    def upstream(self, stack: str) -> None:
        return None
