"""The report of one stack: everything in it is redacted, so that it may be kept, sent and shown."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

VERSION = 1
"""Raised when a field changes its meaning."""

Kind = Literal["create", "update", "replace", "delete", "read", "import", "rename", "guard", "other"]
"""`guard`: nothing but a protection changes, which the engine counts as unchanged. `other`: a step we do not know."""

Result = Literal["unchanged", "changes", "guarded", "blocked", "failed"]
"""`guarded`: a protection goes, or what holds data does. `blocked`: a protection stops the update."""


class Report(BaseModel):
    """Parts of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Property(Report):
    """One property that changes; values as text, None where there is none on that side."""

    path: str
    old: str | None
    new: str | None
    replaces: bool = False
    """Whether this is why the resource is replaced."""


class Guard(Report):
    """One protection that changes."""

    name: str
    old: str
    new: str
    removed: bool
    """Whether it protects less than before."""


class Change(Report):
    """What happens to one resource."""

    kind: Kind
    step: str
    """The engine's own word for it."""
    type: str
    name: str
    urn: str
    stateful: bool = False
    """Whether the type holds data (stateful.yaml)."""
    protected: bool = False
    maybe: bool = False
    """A deletion that may only be seen because inputs are not known yet."""
    renamed_from: str = ""
    properties: tuple[Property, ...] = ()
    guards: tuple[Guard, ...] = ()
    hidden_only: bool = False
    """Something changes, but only values that are not shown."""

    @property
    def dangerous(self) -> bool:
        """Whether somebody has to decide: data or a protection goes."""
        loses = self.kind in ("replace", "delete") and (self.stateful or self.protected)
        return loses or any(guard.removed for guard in self.guards)


class Output(Report):
    """A stack output that changes."""

    name: str
    old: str | None
    new: str | None


class Policy(Report):
    """What a policy says of a resource."""

    name: str
    resource: str
    message: str
    mandatory: bool


class StackReport(Report):
    """What would happen to one stack."""

    version: int = VERSION
    stack: str
    result: Result
    complete: bool
    """Whether the engine came to its end; else the counts are a part of the truth."""
    new: bool = False
    """Whether the stack is not there yet; it was previewed against an empty state."""
    counts: dict[Kind, int]
    unchanged: int
    changes: tuple[Change, ...] = ()
    outputs: tuple[Output, ...] = ()
    policies: tuple[Policy, ...] = ()
    errors: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    """Operations that an interrupted update left in the state."""
    noise: tuple[str, ...] = ()
    """Reviewed differences that are left out, with their reasons."""
    fingerprint: str
    seconds: float = 0.0
    head: str = ""
    base: str = ""

    @property
    def dangers(self) -> tuple[Change, ...]:
        """What somebody has to decide on."""
        return tuple(change for change in self.changes if change.dangerous)
