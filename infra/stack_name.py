"""Names of stacks: an environment's own stack, and the stack of a group of services in an environment."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_GROUP = "default"
"""The group of the services whose files are at the top level of the services folder."""

_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,18}[a-z0-9]")
_GROUP = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
ENVIRONMENT_WORDS = "2 to 20 lower-case letters, digits and hyphens, a letter first"
GROUP_WORDS = "at most 40 lower-case letters, digits and hyphens, a letter first"


def is_environment_name(name: str) -> bool:
    """Whether an environment can have this name, which is part of the names of its objects."""
    return _ENVIRONMENT.fullmatch(name) is not None


def is_group_name(name: str) -> bool:
    """Whether a group of services can have this name."""
    return _GROUP.fullmatch(name) is not None


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
