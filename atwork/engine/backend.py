"""Where the stacks of a checkout are kept, and how the engine reaches them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from atwork.engine.stack import Stack, list_stacks

POLICIES = "policies"
"""Folder of the policy pack in a project."""


class Backend(ABC):
    """A backend of Pulumi with the engine and the project that are used with it."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Its address, as PULUMI_BACKEND_URL names it."""

    @property
    @abstractmethod
    def program(self) -> Path:
        """The engine."""

    @property
    @abstractmethod
    def project(self) -> Path:
        """The folder with Pulumi.yaml that the engine works in."""

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
    def events_folder(self) -> Path | None:
        """Where event logs are written, which hold values until they are read; None for the system's folder."""
        return None

    @property
    def shared(self) -> bool:
        """Whether runs on other machines use it too."""
        return True

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
        return list_stacks(self)


class WrappedBackend(Backend):
    """Another backend with some parts replaced."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner

    @property
    def url(self) -> str:
        """As wrapped."""
        return self._inner.url

    @property
    def program(self) -> Path:
        """As wrapped."""
        return self._inner.program

    @property
    def project(self) -> Path:
        """As wrapped."""
        return self._inner.project

    @property
    def events_folder(self) -> Path | None:
        """As wrapped."""
        return self._inner.events_folder

    @property
    def shared(self) -> bool:
        """As wrapped."""
        return self._inner.shared

    def environment(self) -> AbstractContextManager[dict[str, str]]:
        """As wrapped."""
        return self._inner.environment()

    def deployment(self, stack: str) -> Mapping[str, Any] | None:
        """As wrapped."""
        return self._inner.deployment(stack)

    def upstream(self, stack: str) -> str | None:
        """As wrapped."""
        return self._inner.upstream(stack)

    def recover(self, stack: str) -> None:
        """As wrapped."""
        self._inner.recover(stack)
