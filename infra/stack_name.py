"""Names of stacks: an environment's own stack, and the stack of a group of services in an environment."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_GROUP = "default"
"""The group of the services whose files are at the top level of the services folder."""


@dataclass(frozen=True, order=True)
class StackName:
    """`ENVIRONMENT`, or `ENVIRONMENT.GROUP`: neither part has a dot."""

    environment: str
    group: str | None = None

    @classmethod
    def parse(cls, name: str) -> StackName:
        """The parts of a stack's name."""
        environment, _, group = name.partition(".")
        return cls(environment, group or None)

    def __str__(self) -> str:
        return self.environment if self.group is None else f"{self.environment}.{self.group}"
