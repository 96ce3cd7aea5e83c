"""The report of one stack. All of it is redacted, so that it can be stored, sent and shown."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION = 1
"""Increased when the meaning of a field changes."""

ChangeKind = Literal["create", "update", "replace", "delete", "retain", "read", "import", "rename", "guard", "other"]
"""`retain`: the resource leaves the stack and stays in the cloud, with its data and its name. `guard`: only a
protection changes, which the engine counts as unchanged. `other`: an unknown step."""

Result = Literal["unchanged", "changes", "guarded", "blocked", "failed"]
"""`guarded`: a protection or a resource with data is removed. `blocked`: the update would be refused."""


class Report(BaseModel):
    """Parts of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Property(Report):
    """One property that changes; values are text, or None for a missing value."""

    path: str
    old: str | None
    new: str | None
    replaces: bool = False
    """Whether it forces the replacement of the resource."""


class Guard(Report):
    """One protection that changes."""

    name: str
    old: str
    new: str
    removed: bool
    """Whether the resource is protected less than before."""


class Change(Report):
    """The change of one resource."""

    kind: ChangeKind
    step: str
    """The steps of the engine."""
    type: str
    name: str
    urn: str
    stateful: bool = False
    """Whether resources of the type hold data (stateful.yaml)."""
    protected: bool = False
    maybe: bool = False
    """Whether the deletion is uncertain, because inputs are not known yet."""
    renamed_from: str = ""
    properties: tuple[Property, ...] = ()
    guards: tuple[Guard, ...] = ()
    taken_by: str = ""
    """Name of a resource that this update leaves in the cloud with the same name, so the create fails with 409."""
    refused: str = ""
    """Why the update would be refused, and what to do instead; "" if it may succeed."""
    hidden_only: bool = False
    """Whether only values that are not shown differ."""

    @property
    def dangerous(self) -> bool:
        """Whether it needs a decision: data or a protection is removed, or the update would fail."""
        loses = self.kind in ("replace", "delete") and (self.stateful or self.protected)
        ends = not self.taken_by and not self.refused
        return loses or not ends or any(guard.removed for guard in self.guards)


class Output(Report):
    """A stack output that changes."""

    name: str
    old: str | None
    new: str | None
    read_by: tuple[str, ...] = ()
    """Stacks that read it, and change at their next update."""


class Held(Report):
    """A lock on the stack; until it is released, an update is refused."""

    id: str
    owner: str
    """User, machine, process and age, as text."""
    run: str = ""
    """URL of the run that took it, if it is known."""


class Policy(Report):
    """A violation of a policy."""

    name: str
    resource: str
    message: str
    mandatory: bool


class StackReport(Report):
    """The preview of one stack."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    version: int = VERSION
    stack: str
    result: Result
    complete: bool
    """Whether the preview ended; otherwise the counts are partial."""
    new: bool = False
    """Whether the stack does not exist yet; its preview used an empty state."""
    counts: dict[ChangeKind, int]
    unchanged: int
    changes: tuple[Change, ...] = ()
    outputs: tuple[Output, ...] = ()
    policies: tuple[Policy, ...] = ()
    rules: int = 0
    """Number of policies that checked the stack."""
    errors: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    """Operations that an interrupted update left in the state."""
    updated: str = ""
    """When the state was last written, ISO 8601 in UTC; "" without a state."""
    held: tuple[Held, ...] = ()
    held_unread: str = ""
    """Why the locks of the stack could not be read."""
    unasked: bool = False
    """Whether the providers were not called (PULUMI_DISABLE_PROVIDER_PREVIEW), so that they refuse nothing yet
    and values that the cloud computes are unknown."""
    unclassified: tuple[str, ...] = ()
    """Types among the changes that are in none of the reviewed tables of types with and without data."""
    noise: tuple[str, ...] = ()
    """Ignored differences, with their reasons."""
    fingerprint: str
    created_at: str = Field("", validation_alias="made", serialization_alias="made")
    """When the report was created, ISO 8601 in UTC."""
    seconds: float = 0.0
    head: str = ""
    base: str = ""

    @property
    def dangers(self) -> tuple[Change, ...]:
        """The changes that need a decision."""
        return tuple(change for change in self.changes if change.dangerous)
