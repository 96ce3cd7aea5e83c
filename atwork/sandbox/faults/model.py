"""What a fault is, and which calls it meets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from atwork.engine.urn import name_of, stack_of, type_of


class Effect(StrEnum):
    """What happens to a call that meets a fault."""

    fail = "fail"
    """The cloud answers with an error, and nothing is done."""
    quota = "quota"
    """The cloud has no more of it."""
    slow = "slow"
    """The answer comes late."""
    hang = "hang"
    """No answer, until the engine gives up or the provider's own time is over; nothing is done."""
    partial = "partial"
    """It is done, but does not become ready: the provider answers with an error and with what there is."""
    unreachable = "unreachable"
    """An environment's API server is gone: every call to it is refused."""


class Operation(StrEnum):
    """What a provider is asked to do with an object."""

    create = "create"
    update = "update"
    delete = "delete"
    read = "read"
    any = "any"


@dataclass(frozen=True)
class Call:
    """One call of an engine that does something; previews are none."""

    operation: str
    urn: str

    @property
    def stack(self) -> str:
        """The environment."""
        return stack_of(self.urn)

    @property
    def type(self) -> str:
        """The resource's own type, without those of its parents."""
        return type_of(self.urn)

    @property
    def name(self) -> str:
        """The name in the program."""
        return name_of(self.urn)


class Fault(BaseModel):
    """One fault, and the calls that it waits for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    effect: Effect
    """What happens."""

    operation: Operation = Operation.create
    """Which calls."""

    type: str = ""
    """A type of the SDKs; any where it is empty."""

    name: str = "*"
    """Glob on the name in the program, or on the whole URN."""

    stack: str = ""
    """The environment; any where it is empty."""

    nth: Annotated[int, Field(ge=1)] = 1
    """The first call that is hit, counted among those that match."""

    always: bool = False
    """Hit every call from the nth on, instead of that one."""

    seconds: Annotated[float, Field(gt=0, le=3600)] | None = None
    """For slow and hang."""

    message: str = ""
    """The error in other words than the cloud's."""

    @model_validator(mode="after")
    def _fits(self) -> Fault:
        timed = self.effect in (Effect.slow, Effect.hang)
        if self.seconds is not None and not timed:
            raise ValueError(f"--seconds: {self.effect} takes no time; it is for slow and hang")
        if self.message and self.effect is Effect.slow:
            raise ValueError("--message: slow ends well, so that there is no error; leave it out")
        if self.effect is Effect.partial and self.operation not in (Operation.create, Operation.update):
            raise ValueError(f"--on {self.operation}: what is half done was made or changed; say create or update")
        if self.effect is Effect.unreachable and not self.stack:
            raise ValueError("--stack: an API server belongs to an environment; name it")
        return self

    def meets(self, call: Call) -> bool:
        """Whether a call is one of those that the fault waits for."""
        if self.effect is Effect.unreachable and not call.type.startswith("kubernetes:"):
            return False
        return (
            self.operation in (Operation.any, call.operation)
            and self.type in ("", call.type)
            and self.stack in ("", call.stack)
            and (fnmatchcase(call.name, self.name) or fnmatchcase(call.urn, self.name))
        )

    def hits(self, seen: int) -> bool:
        """Whether the call that is the `seen`-th to match is hit."""
        return seen >= self.nth if self.always else seen == self.nth
