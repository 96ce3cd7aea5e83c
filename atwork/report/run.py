"""Runs the engine's previews, one process for each stack, and reads what it says.

The same for the sandbox and for a real backend: they differ in the environment of the engine alone. Raw events hold
values of secrets' older days; they are deleted as soon as they are read.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from atwork.engine.events import follow
from atwork.engine.urn import name_of
from atwork.locks.store import Store
from atwork.report.model import Held, StackReport
from atwork.report.read import Reading
from infra.layout import stack_files
from infra.yaml_files import read_yaml

Watch = Callable[[str, int, str], None]
"""Told of each resource as it is reached: stack, how many so far, name."""


@dataclass(frozen=True)
class Place:
    """Where stacks are: the engine, its folder, its environment, and what their state holds."""

    engine: Path
    folder: Path
    environment: Callable[[], AbstractContextManager[dict[str, str]]]
    state: Callable[[str], Mapping[str, Any] | None]
    """The state of a stack; None where there is no such stack."""
    reads: Callable[[str], str | None]
    """The stack whose outputs a stack reads."""
    holders: Callable[[str], tuple[tuple[Held, ...], str]] = lambda _stack: ((), "")
    """Who holds a stack, and why nobody could look."""
    readers: Callable[[str, str], tuple[str, ...]] = lambda _stack, _output: ()
    """The stacks that read an output of a stack."""
    store: Store | None = None
    """Where `atwork up` leaves its note; None where that is of no use."""
    policies: Path | None = None
    recover: Callable[[str], None] = lambda _stack: None
    """Put right what a killed run left, where that can be known."""


def previews(
    place: Place, stacks: Sequence[str], watch: Watch, *, refresh: bool = False, **about: str
) -> list[StackReport]:
    """One report for each stack, all at once, in the order asked for."""
    with ThreadPoolExecutor(max_workers=max(len(stacks), 1)) as pool:
        return list(pool.map(lambda stack: preview(place, stack, watch, refresh=refresh, **about), stacks))


def preview(place: Place, stack: str, watch: Watch, *, refresh: bool = False, **about: str) -> StackReport:
    """What would happen to one stack; a stack that is not there is previewed against an empty state of its own."""
    started = time.monotonic()
    state = place.state(stack)
    held, unread = place.holders(stack)
    reading = Reading(stack)
    errors = ""
    with tempfile.TemporaryDirectory(prefix="atwork-preview-") as name, place.environment() as environment:
        folder = Path(name)
        made, project = (environment, place.folder) if state is not None else _empty(place, stack, folder, environment)
        command = [str(place.engine), "preview", "--stack", stack, "--non-interactive", "--color", "never"]
        command += ["--event-log", str(folder / "events"), "--suppress-outputs", "--suppress-progress"]
        command += ["--refresh"] if refresh else []
        command += ["--policy-pack", str(place.policies)] if place.policies else []
        with (folder / "errors").open("w+") as said:
            child = subprocess.Popen(
                command, cwd=project, env={**made, "PULUMI_DEBUG_COMMANDS": "true"},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
            )  # fmt: skip
            for event in follow(folder / "events", child):
                reading.take(event)
                if "resourcePreEvent" in event:
                    urn = str(event["resourcePreEvent"]["metadata"]["urn"])
                    watch(stack, len(reading.seen), name_of(urn))
            code = child.wait()
            said.seek(0)
            errors = said.read()
    if code and not reading.errors and not any(one.mandatory for one in reading.policies):
        # What the engine says before it has events: a locked state, a wrong passphrase, no such plugin.
        reading.errors.append(_first_error(errors) or f"the engine ended with code {code}")
    pending = [
        f"{one.get('type', 'operation')} {name_of(str(one['resource']['urn']))}"
        for one in (state or {}).get("pending_operations") or ()
    ]
    return reading.report(
        code=code, pending=pending, read_by=lambda output: place.readers(stack, output), new=state is None,
        unasked=environment.get("PULUMI_DISABLE_PROVIDER_PREVIEW", "").lower() in ("1", "true"),
        updated=_written(state), held=held, held_unread=unread,
        made=datetime.now(UTC).isoformat(timespec="seconds"), seconds=round(time.monotonic() - started, 1), **about,
    )  # fmt: skip


def _written(state: Mapping[str, Any] | None) -> str:
    """When a state was last written; the engine's zero is the year 1."""
    text = str(((state or {}).get("manifest") or {}).get("time", ""))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return found.astimezone(UTC).isoformat(timespec="seconds") if found.year > 1 else ""


def _first_error(text: str) -> str:
    found = [line.removeprefix("error: ").strip() for line in text.splitlines() if line.startswith("error: ")]
    return found[0] if found else ""


def _empty(place: Place, stack: str, folder: Path, environment: dict[str, str]) -> tuple[dict[str, str], Path]:
    """A backend and a project folder that are thrown away, so that a preview makes nothing in the real ones.

    Stack files are copied without the lines that name a backend's key. What the stack reads is there by its outputs.
    """
    backend, project, passphrase = folder / "backend", folder / "project", folder / "passphrase"
    backend.mkdir()
    (project / "stacks").mkdir(parents=True)
    passphrase.write_text(os.urandom(16).hex())
    for one in place.folder.iterdir():
        if one.name not in ("stacks", ".git", ".sandbox"):
            (project / one.name).symlink_to(one)
    for file in stack_files(place.folder / "stacks").values():
        config = read_yaml(file, f"stacks/{file.name}").get("config") or {}
        (project / "stacks" / file.name).write_text(yaml.safe_dump({"config": config}, sort_keys=False))
    made = {**environment, "PULUMI_BACKEND_URL": f"file://{backend}", "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase)}
    made.pop("PULUMI_CONFIG_PASSPHRASE", None)

    def pulumi(*words: str) -> None:
        command = [str(place.engine), *words, "--non-interactive"]
        subprocess.run(command, cwd=project, env=made, capture_output=True, check=False)

    needed = [stack]
    while (upstream := place.reads(needed[-1])) is not None and upstream not in needed:
        needed.append(upstream)
    for one in needed:
        pulumi("stack", "init", one, "--no-select")
    for one in needed[1:]:
        outputs = folder / f"{one}.json"
        outputs.write_text(json.dumps({"version": 3, "deployment": _outputs_of(place.state(one) or {})}))
        pulumi("stack", "import", "--stack", one, "--file", str(outputs))
    return made, project


def _outputs_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state with the stack's outputs and nothing else: all that another stack reads."""
    kept = [one for one in state.get("resources") or () if one["type"] == "pulumi:pulumi:Stack"]
    return {"manifest": state.get("manifest") or {}, "resources": kept}
