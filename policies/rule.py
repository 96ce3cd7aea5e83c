"""A rule: a function that checks one resource, or all resources together, and yields what to fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final


class Unknown:
    """The type of `UNKNOWN`. It has no truth value, because `if value:` would take it for true."""

    def __repr__(self) -> str:
        return "unknown"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value is neither true nor false; use CheckedResource.lacks or `is UNKNOWN`")


UNKNOWN: Final = Unknown()
"""A value that a preview cannot know yet. It satisfies every rule about a value."""


@dataclass(frozen=True)
class StackContext:
    """The stack that the rules check: its kind, and whether violations stop an update."""

    kind: str = "long-lived"
    mandatory: bool = True


@dataclass(frozen=True)
class CheckedResource:
    """A resource that the engine is about to create or update.

    `properties` have Pulumi's names (camelCase). A resource rule sees the inputs; a stack rule sees the inputs and the
    outputs of the provider. They are `UNKNOWN` when neither is known. `sources` are the URNs of the resources that
    each property takes values from (empty in resource rules).
    """

    type: str
    name: str
    properties: Mapping[str, Any] | Unknown
    protect: bool = False
    urn: str = ""
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a dotted path; `UNKNOWN` when the value or a part above it is unknown."""
        value: Any = self.properties
        for part in path.split("."):
            if value is UNKNOWN:
                return UNKNOWN
            if isinstance(value, Mapping):
                value = value.get(part)
            else:
                return default
        return default if value is None else value

    def lacks(self, path: str) -> bool:
        """Whether the value at a path is known to be missing or empty."""
        value = self.get(path)
        return value is not UNKNOWN and not value

    def sets(self, key: str) -> bool:
        """Whether a property is known to be set, even when its value is not known yet."""
        return self.properties is not UNKNOWN and not self.lacks(key)

    def must(self, path: str, *, be: bool | str | tuple[str, ...], hint: str = "") -> Iterator[str]:
        """A message when the value at a path is known and not an allowed value; `hint` is appended to it."""
        allowed = be if isinstance(be, tuple) else (be,)
        value = self.get(path)
        if value is not UNKNOWN and value not in allowed:
            *others, last = (str(item).lower() if isinstance(item, bool) else item for item in allowed)
            before = f"{', '.join(others)} or " if others else ""
            yield f"{path} must be {before}{last}{hint}"


ResourceCheck = Callable[[CheckedResource, StackContext], Iterator[str]]
StackCheck = Callable[[Sequence[CheckedResource], StackContext], Iterator[tuple[CheckedResource, str]]]


@dataclass(frozen=True)
class Rule:
    """A named rule. `types` are type tokens, or prefixes that end in `*`; `source` is the standard that requires it."""

    name: str
    source: str
    description: str
    types: tuple[str, ...] = ()
    resource: ResourceCheck | None = None
    stack: StackCheck | None = None

    def applies(self, token: str) -> bool:
        """Whether the rule checks resources of a type."""
        return any(
            token.startswith(pattern[:-1]) if pattern.endswith("*") else token == pattern for pattern in self.types
        )


def resource_rule(name: str, *types: str, source: str) -> Callable[[ResourceCheck], Rule]:
    """Make a rule from a function that checks one resource; the docstring's first line is the description."""
    return lambda check: Rule(name, source, _description(check), types, resource=check)


def stack_rule(name: str, *types: str, source: str) -> Callable[[StackCheck], Rule]:
    """Make a rule from a function that checks all resources of the types together."""
    return lambda check: Rule(name, source, _description(check), types, stack=check)


def _description(check: Callable[..., Any]) -> str:
    return (check.__doc__ or "").strip().splitlines()[0]
