"""Faults, and the calls that they match."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from atwork.engine.urn import name_of, stack_of, type_of


class Effect(StrEnum):
    """The effect of a fault on a call."""

    fail = "fail"
    """The cloud answers with an error and changes nothing."""
    quota = "quota"
    """The quota of the cloud is exhausted."""
    slow = "slow"
    """The answer is delayed."""
    hang = "hang"
    """No answer until the engine cancels or the provider times out; nothing changes."""
    partial = "partial"
    """The object changes but does not become ready: the provider answers with an error and the object."""
    unreachable = "unreachable"
    """The API server of an environment does not answer: every call to it fails."""


class Operation(StrEnum):
    """An operation of a provider on an object."""

    create = "create"
    update = "update"
    delete = "delete"
    read = "read"
    any = "any"


@dataclass(frozen=True)
class Call:
    """A call of an engine that reads or changes an object; previews do not count."""

    operation: str
    urn: str

    @property
    def stack(self) -> str:
        """The environment."""
        return stack_of(self.urn)

    @property
    def type(self) -> str:
        """The type of the resource without the types of its parents."""
        return type_of(self.urn)

    @property
    def name(self) -> str:
        """The name of the resource in the program."""
        return name_of(self.urn)


class Fault(BaseModel):
    """A fault and the calls that it matches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    effect: Effect
    """The effect on a call that it hits."""

    operation: Operation = Operation.create
    """The operation of the calls."""

    type: str = ""
    """A type token of the SDKs; "" matches all types."""

    name: str = "*"
    """Glob for the name in the program or for the URN."""

    stack: str = ""
    """The environment; "" matches all environments."""

    nth: Annotated[int, Field(ge=1)] = 1
    """The first matching call that is hit, counted from 1."""

    always: bool = False
    """Hit all matching calls from the nth on, instead of only that one."""

    seconds: Annotated[float, Field(gt=0, le=3600)] | None = None
    """Delay or timeout, for slow and hang."""

    message: str = ""
    """The error message instead of the cloud's."""

    @model_validator(mode="after")
    def _check(self) -> Fault:
        timed = self.effect in (Effect.slow, Effect.hang)
        if self.seconds is not None and not timed:
            raise ValueError(f"--seconds: {self.effect} has no duration; use it with slow or hang")
        if self.message and self.effect is Effect.slow:
            raise ValueError("--message: slow causes no error; leave it out")
        if self.effect is Effect.partial and self.operation not in (Operation.create, Operation.update):
            raise ValueError(f"--on {self.operation}: partial needs an object that changes; say create or update")
        if self.effect is Effect.unreachable and not self.stack:
            raise ValueError("--stack: an API server belongs to an environment; name it")
        return self

    def matches(self, call: Call) -> bool:
        """Whether the fault matches a call."""
        if self.effect is Effect.unreachable and not call.type.startswith("kubernetes:"):
            return False
        return (
            self.operation in (Operation.any, call.operation)
            and self.type in ("", call.type)
            and self.stack in ("", call.stack)
            and (fnmatchcase(call.name, self.name) or fnmatchcase(call.urn, self.name))
        )

    def hits(self, seen: int) -> bool:
        """Whether the `seen`-th matching call is hit; counted from 1."""
        return seen >= self.nth if self.always else seen == self.nth
