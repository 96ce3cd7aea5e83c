"""What a rule is: a function from one resource, or from all of them, to what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final


class Unknown:
    """The type of `UNKNOWN`. It has no truth value: `if value:` would take it for one of both."""

    def __repr__(self) -> str:
        return "unknown"

    def __bool__(self) -> bool:
        raise TypeError("a value that is not known yet is neither true nor false; use Resource.lacks or `is UNKNOWN`")


UNKNOWN: Final = Unknown()
"""A value that a preview cannot know yet. It satisfies every rule on what a value must be."""


@dataclass(frozen=True)
class Environment:
    """What the rules know of the stack: its kind, whether violations stop it, what is exempt."""

    kind: str = "long-lived"
    mandatory: bool = True


@dataclass(frozen=True)
class Resource:
    """A resource as the engine is about to make it.

    `properties` have Pulumi's names (camelCase): a resource rule sees the inputs, a rule over all resources the inputs
    and what the provider has answered. They are `UNKNOWN` where neither is known. `sources` are the URNs of the
    resources that a property takes values from (empty in resource rules).
    """

    type: str
    name: str
    properties: Mapping[str, Any] | Unknown
    protect: bool = False
    urn: str = ""
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a dotted path; `UNKNOWN` where it or a part above it is."""
        found: Any = self.properties
        for part in path.split("."):
            if found is UNKNOWN:
                return UNKNOWN
            if isinstance(found, Mapping):
                found = found.get(part)
            else:
                return default
        return default if found is None else found

    def lacks(self, path: str) -> bool:
        """Whether there is known to be nothing at a path, or something empty."""
        found = self.get(path)
        return found is not UNKNOWN and not found

    def sets(self, key: str) -> bool:
        """Whether a property is known to be set, be it to a value that is not known yet."""
        return self.properties is not UNKNOWN and not self.lacks(key)

    def must(self, path: str, *, be: bool | str | tuple[str, ...], hint: str = "") -> Iterator[str]:
        """What to say where the value at a path is known and not the wanted one, or none of them; `hint` ends it."""
        allowed = be if isinstance(be, tuple) else (be,)
        found = self.get(path)
        if found is not UNKNOWN and found not in allowed:
            *others, last = (str(one).lower() if isinstance(one, bool) else one for one in allowed)
            before = f"{', '.join(others)} or " if others else ""
            yield f"{path} must be {before}{last}{hint}"


ResourceCheck = Callable[[Resource, Environment], Iterator[str]]
StackCheck = Callable[[Sequence[Resource], Environment], Iterator[tuple[Resource, str]]]


@dataclass(frozen=True)
class Rule:
    """`types` are type tokens, or their beginnings where they end in `*`; `source` says who asks for it."""

    name: str
    source: str
    description: str
    types: tuple[str, ...] = ()
    resource: ResourceCheck | None = None
    stack: StackCheck | None = None

    def applies(self, token: str) -> bool:
        """Whether the rule looks at resources of a type."""
        return any(token.startswith(one[:-1]) if one.endswith("*") else token == one for one in self.types)


def on(name: str, *types: str, source: str) -> Callable[[ResourceCheck], Rule]:
    """Make a rule of a function that looks at one resource; its docstring is the description."""
    return lambda check: Rule(name, source, _description(check), types, resource=check)


def over_all(name: str, *types: str, source: str) -> Callable[[StackCheck], Rule]:
    """Make a rule of a function that looks at all resources of the types together."""
    return lambda check: Rule(name, source, _description(check), types, stack=check)


def _description(check: Callable[..., Any]) -> str:
    return (check.__doc__ or "").strip().splitlines()[0]
