"""The engine's event log: followed while it is written, and the facts in its events.

Events are JSON objects with one key each, which names the kind of the event
(https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/events.go).
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atwork.engine.tracebacks import cause, cause_first
from atwork.engine.urn import name_of
from atwork.engine.wire import plain

_POLL_SECONDS = 0.05
_STEPS = ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent")
_SUMMARIES = ("update failed", "preview failed")
"""Errors that only say that there were errors."""

Event = Mapping[str, Any]


def follow(path: Path, process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """Yield events as they are written, until the engine has ended and all of them are read."""
    rest = ""
    position = 0
    while True:
        ended = process.poll() is not None
        if path.exists():
            with path.open() as file:
                file.seek(position)
                rest += file.read()
                position = file.tell()
        *lines, rest = rest.split("\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)
        if ended:
            return
        time.sleep(_POLL_SECONDS)


@dataclass(frozen=True)
class Diagnostic:
    """An error of the engine."""

    urn: str
    """The resource; "" if the error is not about one."""
    text: str

    def __str__(self) -> str:
        """The error after the name of its resource; the stack itself is not named. A traceback is after its cause."""
        return f"{self._subject}{cause_first(self.text)}"

    @property
    def line(self) -> str:
        """The error on one line, without a traceback."""
        return " ".join(f"{self._subject}{cause(self.text)}".split())

    @property
    def _subject(self) -> str:
        name = name_of(self.urn)
        return f"{name}: " if name and not name.startswith("atwork-") else ""


@dataclass(frozen=True)
class Violation:
    """A policy that a resource violates."""

    policy: str
    urn: str
    message: str
    mandatory: bool


def sentences(violations: Iterable[Violation]) -> list[str]:
    """Each policy with its message, then the names of all resources for which it says that."""
    resources: dict[str, dict[str, None]] = {}
    for violation in violations:
        sentence = f"{violation.policy}: {violation.message}"
        resources.setdefault(sentence, {})[name_of(violation.urn)] = None
    return [f"{sentence}\n  resources: {', '.join(names)}" for sentence, names in resources.items()]


def started(event: Event) -> str | None:
    """URN of the resource whose step begins; None for other events."""
    return str(event["resourcePreEvent"]["metadata"]["urn"]) if "resourcePreEvent" in event else None


def step(event: Event) -> Mapping[str, Any] | None:
    """Metadata of a step that begins, ends or fails; None for other events."""
    return next((event[kind]["metadata"] for kind in _STEPS if kind in event), None)


def finished(event: Event) -> Mapping[str, Any] | None:
    """Metadata of a step that ended, with the new state; None for other events."""
    return event["resOutputsEvent"]["metadata"] if "resOutputsEvent" in event else None


def error(event: Event) -> Diagnostic | None:
    """The error in an event; None for other events and for errors that say nothing of their own."""
    if "diagnosticEvent" not in event or event["diagnosticEvent"].get("severity") != "error":
        return None
    diagnostic = event["diagnosticEvent"]
    text = plain(str(diagnostic.get("message", ""))).strip()
    return Diagnostic(str(diagnostic.get("urn", "")), text) if text and text not in _SUMMARIES else None


def violation(event: Event) -> Violation | None:
    """The violation in an event; None for other events."""
    if "policyEvent" not in event:
        return None
    violation = event["policyEvent"]
    return Violation(
        policy=str(violation.get("policyName", "")),
        urn=str(violation.get("resourceUrn", "")),
        message=" ".join(plain(str(violation.get("message", ""))).split()),
        mandatory=violation.get("enforcementLevel") == "mandatory",
    )
