"""The report of one stack: everything in it is redacted, so that it may be kept, sent and shown."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

VERSION = 1
"""Raised when a field changes its meaning."""

Kind = Literal["create", "update", "replace", "delete", "retain", "read", "import", "rename", "guard", "other"]
"""`retain`: it leaves the stack and stays in the cloud, with its data and its name. `guard`: nothing but a protection
changes, which the engine counts as unchanged. `other`: a step we do not know."""

Result = Literal["unchanged", "changes", "guarded", "blocked", "failed"]
"""`guarded`: a protection goes, or what holds data does. `blocked`: the update would be refused."""


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
    taken_by: str = ""
    """Name of the resource that this update leaves behind under the same name: the create fails with 409."""
    refused: str = ""
    """Why the update would be refused, and what to do instead; "" where it may go through."""
    hidden_only: bool = False
    """Something changes, but only values that are not shown."""

    @property
    def dangerous(self) -> bool:
        """Whether somebody has to decide: data or a protection goes, or the update cannot end."""
        loses = self.kind in ("replace", "delete") and (self.stateful or self.protected)
        ends = not self.taken_by and not self.refused
        return loses or not ends or any(guard.removed for guard in self.guards)


class Output(Report):
    """A stack output that changes."""

    name: str
    old: str | None
    new: str | None
    read_by: tuple[str, ...] = ()
    """Stacks that read it, and see the change at their next update."""


class Held(Report):
    """A lock that somebody holds on the stack; an update would be refused meanwhile."""

    id: str
    owner: str
    """User, machine, process and age, in words."""
    run: str = ""
    """Address of the run that took it, where that is known."""


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
    rules: int = 0
    """How many policies looked at the stack."""
    errors: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    """Operations that an interrupted update left in the state."""
    updated: str = ""
    """When the state was last written, ISO 8601 in UTC; "" where there is no state yet."""
    held: tuple[Held, ...] = ()
    held_unread: str = ""
    """Why nobody could look whether somebody holds the stack."""
    unasked: bool = False
    """Whether the providers were not asked (PULUMI_DISABLE_PROVIDER_PREVIEW): then they refuse nothing yet, and what a
    cloud would fill in is not known."""
    unclassified: tuple[str, ...] = ()
    """Types among the changes of which no reviewed table says whether they hold data."""
    noise: tuple[str, ...] = ()
    """Reviewed differences that are left out, with their reasons."""
    fingerprint: str
    made: str = ""
    """When the report was made, ISO 8601 in UTC."""
    seconds: float = 0.0
    head: str = ""
    base: str = ""

    @property
    def dangers(self) -> tuple[Change, ...]:
        """What somebody has to decide on."""
        return tuple(change for change in self.changes if change.dangerous)
