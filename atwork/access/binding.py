"""Bindings of IAM policies: a role, a member and a resource."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """A condition of a binding, in the Common Expression Language."""

    title: str
    expression: str


@dataclass(frozen=True)
class Binding:
    """One role for one member on one resource."""

    role: str
    member: str
    resource: str
    condition: Condition | None = None
    origin: str = ""
    """Who created it: a URN of the program, or a step of bootstrap."""
