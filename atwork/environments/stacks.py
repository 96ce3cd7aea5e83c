"""What the engine is asked about stacks and told to do with them, in the sandbox and in a real backend alike."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atwork.engine.events import follow
from atwork.engine.urn import name_of
from atwork.engine.wire import plain
from atwork.errors import BackendError
from atwork.report.run import Place
from atwork.sandbox.interrupt import Interrupt

Watch = Callable[[str], None]
"""Told the name of each resource as it is reached."""

_LABEL = "%Y-%m-%dt%H-%M-%S"


@dataclass(frozen=True)
class Outcome:
    """How an operation of the engine ended; errors in plain words."""

    code: int
    errors: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    """URN and error of each resource that failed."""


def listed(place: Place) -> dict[str, int]:
    """The stacks of the backend with the number of their resources."""
    found = json.loads(_asked(place, "stack", "ls", "--json"))
    return {str(one["name"]).rpartition("/")[2]: int(one.get("resourceCount") or 0) for one in found}


def tags(place: Place, stack: str) -> dict[str, str]:
    """Notes that the backend keeps beside a stack."""
    return json.loads(_asked(place, "stack", "tag", "ls", "--stack", stack, "--json"))


def tag(place: Place, stack: str, name: str, value: str) -> None:
    """Write a note; "" takes it away."""
    words = ("set", name, value) if value else ("rm", name)
    _asked(place, "stack", "tag", *words, "--stack", stack)


def forget(place: Place, stack: str) -> None:
    """Remove an empty stack; the engine refuses one that has resources. Its file stays."""
    _asked(place, "stack", "rm", stack, "--yes", "--preserve-config")


def give_up(place: Place, stack: str, urn: str) -> None:
    """Take a resource out of the state that is gone with what held it."""
    _asked(place, "state", "delete", urn, "--stack", stack, "--yes")


def resources(place: Place, stack: str) -> list[dict[str, Any]]:
    """What the state holds, without the stack itself; and what an interrupted update left."""
    state = place.state(stack) or {}
    found = [one for one in state.get("resources") or () if one["type"] != "pulumi:pulumi:Stack"]
    return found + [one["resource"] for one in state.get("pending_operations") or ()]


def protected(found: list[dict[str, Any]]) -> list[str]:
    """Names of the resources that the engine would not delete."""
    return [name(one) for one in found if one.get("protect")]


def deployed_end(found: list[dict[str, Any]]) -> datetime | None:
    """The end that the last update wrote on the resources."""
    ends: list[datetime] = []
    for one in found:
        inputs = one.get("inputs") or {}
        for key in ("labels", "resourceLabels"):
            label = (inputs.get(key) or {}).get("expires-at") if isinstance(inputs.get(key), dict) else None
            if isinstance(label, str):
                try:
                    ends.append(datetime.strptime(label, _LABEL).replace(tzinfo=UTC))
                except ValueError:
                    continue
    return max(ends, default=None)


def name(resource: Mapping[str, Any]) -> str:
    """The last part of a resource's URN."""
    return name_of(str(resource["urn"]))


def operate(place: Place, words: tuple[str, ...], watch: Watch, more: Mapping[str, str] | None = None) -> Outcome:
    """Run `destroy` or `refresh` to its end and collect what goes wrong."""
    return engine(place, (*words, "--yes", "--skip-preview"), watch, more)


def engine(
    place: Place, words: tuple[str, ...], watch: Watch, more: Mapping[str, str] | None = None,
    *, take: Callable[[dict[str, Any]], None] = lambda _event: None,
) -> Outcome:  # fmt: skip
    """Run a command of the engine that writes events, to its end; `take` is told of each event."""
    errors: list[str] = []
    failed: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="atwork-engine-") as folder, place.environment() as environment:
        events, output = Path(folder, "events"), Path(folder, "output")
        command = [str(place.engine), *words, "--non-interactive", "--color", "never"]
        command += ["--event-log", str(events), "--suppress-progress", "--suppress-outputs"]
        with output.open("w") as said:
            interrupt = Interrupt()
            with interrupt.heard():
                child = subprocess.Popen(
                    command, cwd=place.folder, env={**environment, **(more or {}), "PULUMI_DEBUG_COMMANDS": "true"},
                    stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, process_group=0,
                )  # fmt: skip
                with interrupt.reaching(child):
                    for event in follow(events, child):
                        take(event)
                        _take(event, errors, failed, watch)
                    code = child.wait()
            if interrupt.count:
                raise KeyboardInterrupt  # the engine has ended in order; nothing else is begun
        if code and not errors:
            errors.append(_last_error(output.read_text()) or f"the engine ended with code {code}")
    return Outcome(code, tuple(dict.fromkeys(errors)), tuple(failed))


def _take(event: dict[str, Any], errors: list[str], failed: list[tuple[str, str]], watch: Watch) -> None:
    if "resourcePreEvent" in event:
        watch(name_of(str(event["resourcePreEvent"]["metadata"]["urn"])))
    elif "diagnosticEvent" in event and event["diagnosticEvent"].get("severity") == "error":
        found = event["diagnosticEvent"]
        urn = str(found.get("urn", ""))
        about = name_of(urn)
        text = " ".join(plain(found["message"]).split())
        if text:
            errors.append(f"{about}: {text}" if about else text)
            failed.append((urn, text))


def _last_error(text: str) -> str:
    found = [line.removeprefix("error: ").strip() for line in text.splitlines() if line.startswith("error: ")]
    return (found or [line for line in text.splitlines() if line.strip()] or [""])[-1][:800]


def _asked(place: Place, *words: str) -> str:
    with place.environment() as environment:
        done = subprocess.run(
            [str(place.engine), *words, "--non-interactive"], cwd=place.folder, env=environment, capture_output=True,
            text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    if done.returncode:
        raise BackendError(f"pulumi {' '.join(words[:3])}: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout
