"""A lock as the engine writes it, and the note that `atwork up` leaves next to it.

The engine's lock says process, user and machine, nothing of a run in CI. `atwork up` therefore notes which run started
that process, in a file of its own outside of the engine's folder: any further file among the locks would be one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from atwork.age import age
from atwork.locks.store import LockStore
from infra import PROJECT

_BOOT, _NUMBERS = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


class _Owner(BaseModel):
    """Whose process holds a stack, as the engine's file says."""

    model_config = ConfigDict(frozen=True)

    pid: int = Field(gt=0)
    username: str
    hostname: str
    timestamp: AwareDatetime


class Run(BaseModel):
    """The note: which run started a process, and where."""

    model_config = ConfigDict(frozen=True)

    pid: int = Field(gt=0)
    hostname: str
    machine: str = ""
    """Distinguishes machines and containers with the same name (`machine`)."""
    repository: str = ""
    run_id: int = 0
    attempt: int = 0
    url: str = ""
    hosted: bool = False
    """Whether the machine was created for this run and is gone with it."""

    @property
    def name(self) -> str:
        """The note's file in the folder of its stack."""
        return f"{quote(self.hostname, safe='')}-{self.pid}.json"


class Lock(BaseModel):
    """One lock of one stack."""

    model_config = ConfigDict(frozen=True)

    stack: str
    id: str
    name: str
    """The file."""
    owner: _Owner | None
    """None where the file is cut off."""
    run: Run | None = None

    def words(self, now: datetime) -> str:
        """Who holds it, in a few words."""
        if self.owner is None:
            return "somebody (the lock is cut off)"
        who = f"{self.owner.username}@{self.owner.hostname}, pid {self.owner.pid}"
        return f"{who}, for {age(self.owner.timestamp, now)}"


def locks(store: LockStore, stack: str) -> list[Lock]:
    """The locks of a stack, each with the note of its run where there is one."""
    stack_locks: list[Lock] = []
    for name in store.names(f".pulumi/locks/organization/{PROJECT}/{stack}"):
        content = store.read(name)
        if content is None:  # removed meanwhile
            continue
        try:
            owner = _Owner.model_validate_json(content)
        except ValidationError:
            owner = None
        lock_id = name.rpartition("/")[2].removesuffix(".json")
        run = None if owner is None else note(store, stack, owner.hostname, owner.pid)
        stack_locks.append(Lock(stack=stack, id=lock_id, name=name, owner=owner, run=run))
    return stack_locks


def folder(stack: str) -> str:
    """Where the notes of a stack's runs are."""
    return f".atwork/runs/{stack}"


def note(store: LockStore, stack: str, hostname: str, pid: int) -> Run | None:
    """The note of the run that a process belongs to."""
    content = store.read(f"{folder(stack)}/{Run(pid=pid, hostname=hostname).name}")
    try:
        return None if content is None else Run.model_validate_json(content)
    except ValidationError:
        return None


def machine() -> str:
    """What no other machine, boot or container has, so that a process number means something; "" without /proc."""
    try:
        return f"{_BOOT.read_text().strip()} {_NUMBERS.readlink()}"
    except OSError:
        return ""


def now() -> datetime:
    """The time, as locks have it."""
    return datetime.now(UTC)
