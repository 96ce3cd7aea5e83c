"""Where the stacks of a checkout are kept, and how the engine reaches them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atwork.engine.stack import Stack

POLICIES = "policies"
"""Folder of the policy pack in a project."""


@dataclass(frozen=True, kw_only=True)
class Backend(ABC):
    """A backend of Pulumi with the engine and the project that are used with it."""

    url: str
    """Its address, as PULUMI_BACKEND_URL names it."""

    program: Path
    """The engine."""

    project: Path
    """The folder with Pulumi.yaml that the engine works in."""

    events_folder: Path | None = None
    """Where event logs are written, which hold values until they are read; None for the system's folder."""

    shared: bool = True
    """Whether runs on other machines use it too."""

    @abstractmethod
    def environment(self) -> AbstractContextManager[dict[str, str]]:
        """All variables of one process of the engine; what serves the process is served meanwhile."""

    @abstractmethod
    def deployment(self, stack: str) -> Mapping[str, Any] | None:
        """The state of a stack, with encrypted secrets; None if the backend has no such stack."""

    @abstractmethod
    def upstream(self, stack: str) -> str | None:
        """The stack whose outputs a stack reads."""

    @property
    def policy_pack(self) -> Path | None:
        """The policy pack of the project, if it has one."""
        pack = self.project / POLICIES
        return pack if pack.exists() else None

    def recover(self, stack: str) -> None:
        """Repair what a killed run left, where that can be known."""
        del stack

    def stack(self, name: str) -> Stack:
        """A stack by its name, whether it exists or not."""
        return Stack(self, name)

    def stacks(self) -> dict[str, int]:
        """Names of the stacks with the number of their resources."""
        from atwork.engine.automation import list_stacks

        return list_stacks(self)


@dataclass(frozen=True, kw_only=True)
class WrappedBackend(Backend):
    """Another backend with a project of its own."""

    inner: Backend

    def environment(self) -> AbstractContextManager[dict[str, str]]:
        """As wrapped."""
        return self.inner.environment()

    def deployment(self, stack: str) -> Mapping[str, Any] | None:
        """As wrapped."""
        return self.inner.deployment(stack)

    def upstream(self, stack: str) -> str | None:
        """As wrapped."""
        return self.inner.upstream(stack)
