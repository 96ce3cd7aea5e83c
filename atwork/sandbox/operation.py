"""One operation of the engine on one stack, followed through its event log."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atwork.engine.events import follow
from atwork.engine.urn import name_of
from atwork.engine.wire import plain
from atwork.sandbox.interrupt import Interrupt
from atwork.sandbox.session import Session
from atwork.sandbox.workspace import POLICIES

_MODES = {
    "preview": ["preview"],
    "up": ["up", "--yes", "--skip-preview"],
    "refresh": ["refresh", "--yes", "--skip-preview"],
    "preview-destroy": ["destroy", "--preview-only"],
    "destroy": ["destroy", "--yes", "--skip-preview"],
}
PREFIX = "operation-"
"""How the folders begin that an operation has for itself; a killed one leaves its own."""

_HELD_TO_POLICIES = ("preview", "up")
_NOT_COUNTED = ("pulumi:pulumi:StackReference",)


@dataclass
class Outcome:
    """What an operation did: counts by kind of step, errors in plain words, seconds, exit code."""

    stack: str
    steps: Counter[str] = field(default_factory=Counter[str])
    errors: list[str] = field(default_factory=list[str])
    advice: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
    code: int = 0
    finished: bool = False

    @property
    def failed(self) -> bool:
        """Whether the engine refused or broke off."""
        return self.code != 0

    @property
    def changed(self) -> int:
        """Steps that were not `same`."""
        return sum(count for step, count in self.steps.items() if step != "same")


def run(
    session: Session, verb: str, stack: str, watch: Callable[[Outcome, str], None], interrupt: Interrupt
) -> Outcome:
    """Run one of `_MODES`; `watch` is told of each resource as it is reached."""
    outcome = Outcome(stack)
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(dir=session.home.folder, prefix=PREFIX) as folder,
        session.environment() as environment,
    ):
        events = Path(folder, "events.jsonl")
        command = [str(session.engine.path), *_MODES[verb], "--stack", stack, "--non-interactive"]
        if verb in _HELD_TO_POLICIES and (session.home.workspace / POLICIES).exists():
            command += ["--policy-pack", POLICIES]
        command += ["--event-log", str(events), "--suppress-progress", "--suppress-outputs", "--color", "never"]
        with Path(folder, "output").open("w+") as output:
            child = subprocess.Popen(
                command,
                cwd=session.home.workspace,
                env={**environment, "PULUMI_DEBUG_COMMANDS": "true"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
            with interrupt.reaching(child):
                for event in follow(events, child):
                    _take(event, outcome, watch)
                outcome.code = child.wait()
            output.seek(0)
            printed = output.read()
    if outcome.failed and not outcome.errors:
        outcome.errors.append(printed.strip()[-2000:] or f"the engine ended with code {outcome.code}")
    outcome.seconds = time.monotonic() - started
    return outcome


def _take(event: dict[str, Any], outcome: Outcome, watch: Callable[[Outcome, str], None]) -> None:
    if "resourcePreEvent" in event:
        urn = str(event["resourcePreEvent"]["metadata"]["urn"])
        watch(outcome, name_of(urn))
    elif "resOutputsEvent" in event:
        metadata = event["resOutputsEvent"]["metadata"]
        resource = metadata.get("new") or metadata.get("old") or {}
        if resource.get("custom") and metadata["type"] not in _NOT_COUNTED:
            outcome.steps[metadata["op"]] += 1
    elif "diagnosticEvent" in event and event["diagnosticEvent"].get("severity") == "error":
        text = plain(event["diagnosticEvent"]["message"]).strip()
        about = name_of(str(event["diagnosticEvent"].get("urn", "")))
        if text and "update failed" not in text:
            outcome.errors.append(f"{about}: {text}" if about and not about.startswith("atwork-") else text)
    elif "policyEvent" in event:
        found = event["policyEvent"]
        about = name_of(str(found.get("resourceUrn", "")))
        told = f"{about}: {found['policyName']}: {' '.join(plain(found['message']).split())}"
        (outcome.errors if found.get("enforcementLevel") == "mandatory" else outcome.advice).append(told)
    elif "summaryEvent" in event:
        outcome.finished = True
