"""The backend of `FakeBackend`, as commands use it."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from support.fake_engine import FakeBackend

from atwork.engine.backend import Backend


@dataclass(frozen=True, kw_only=True)
class FakeRemote(Backend):
    """The backend of stacks in the file."""

    stacks_file: FakeBackend

    @contextmanager
    def environment(self) -> Generator[dict[str, str]]:
        yield {**os.environ, "FAKE_BACKEND": str(self.stacks_file.path)}

    def deployment(self, stack: str) -> dict[str, Any] | None:
        resources = self.stacks_file.read()["stacks"].get(stack)
        return None if resources is None else {"resources": resources}

    def upstream(self, stack: str) -> None:
        return None
