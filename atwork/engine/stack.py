"""Operations of the engine on one stack."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from atwork.engine import runner
from atwork.engine.events import Event, follow, started
from atwork.engine.outcome import Outcome
from atwork.engine.signals import Signals
from atwork.engine.urn import name_of

if TYPE_CHECKING:
    from atwork.engine.backend import Backend

EVENTS_PREFIX = "operation-"
"""Prefix of the folders that hold an operation's event log; a killed operation leaves its folder."""

_APPLY = ("--yes", "--skip-preview")


class Options(TypedDict, total=False):
    """Options of every operation that writes events."""

    on_resource: Callable[[Outcome, str], None]
    """Called with the name of each resource whose step begins."""
    on_event: Callable[[Event], None]
    """Called with each event."""
    signals: Signals
    """Handled by the caller; by default the operation handles them, and raises `KeyboardInterrupt` after one."""
    variables: Mapping[str, str]
    """Further variables of the engine."""


@dataclass(frozen=True)
class Stack:
    """A stack in a backend."""

    backend: Backend
    name: str

    def preview(self, *, refresh: bool = False, policies: bool = True, **options: Unpack[Options]) -> Outcome:
        """Run the program and compare it with the state, which stays as it is."""
        words = ["preview", *(["--refresh"] if refresh else [])]
        return self._operate([*words, *self._policies(enabled=policies)], **options)

    def up(self, **options: Unpack[Options]) -> Outcome:
        """Update the stack."""
        return self._operate(["up", *_APPLY, *self._policies()], **options)

    def up_in_terminal(self, noted: Callable[[int], AbstractContextManager[None]]) -> int:
        """Update the stack with the engine's own display and return its exit code.

        `noted` is entered with the number of the process, for as long as the process runs.
        """
        words = ["up", "--stack", self.name, *_APPLY, *self._policies()]
        signals = Signals()
        with self.backend.environment() as environment, signals.handled():
            process = runner.start(
                self.backend.program, words, folder=self.backend.project, environment=environment, output=None
            )
            with signals.forwarded_to(process), noted(process.pid):
                code = process.wait()
                signals.raise_if_received()
        return code

    def refresh(self, *, clear_pending_creates: bool = False, **options: Unpack[Options]) -> Outcome:
        """Read every resource and write the state."""
        pending = ["--clear-pending-creates"] if clear_pending_creates else []
        return self._operate(["refresh", *_APPLY, *pending], **options)

    def destroy(
        self,
        *,
        preview_only: bool = False,
        targets: Sequence[str] = (),
        patient: bool = False,
        **options: Unpack[Options],
    ) -> Outcome:
        """Delete every resource, or those with the URNs in `targets` and what depends on them.

        A patient deletion reads the resources first and continues after an error.
        """
        words = ["destroy", *(["--preview-only"] if preview_only else _APPLY)]
        words += [word for urn in targets for word in ("--target", urn)]
        words += ["--target-dependents"] if targets else []
        words += ["--refresh", "--continue-on-error"] if patient else []
        return self._operate(words, **options)

    def import_resources(
        self, document: Mapping[str, Any], *, preview_only: bool = False, **options: Unpack[Options]
    ) -> Outcome:
        """Read existing objects into the state; `document` is the content of the engine's import file.

        https://www.pulumi.com/docs/iac/adopting-pulumi/import/
        """
        with tempfile.TemporaryDirectory(prefix="atwork-import-") as folder:
            file = Path(folder, "import.json")
            file.write_text(json.dumps(document))
            words = ["import", "--file", str(file), "--generate-code=false", "--protect=false"]
            return self._operate([*words, *(["--preview-only"] if preview_only else _APPLY)], **options)

    def create(self, *, secrets_provider: str | None = None) -> None:
        """Create the stack in the backend; the stack that the user selected stays selected."""
        provider = [] if secrets_provider is None else ["--secrets-provider", secrets_provider]
        self._run("stack", "init", self.name, *provider, "--no-select")

    def export_in_plain_text(self) -> Mapping[str, Any]:
        """The state with its secrets in plain text, for what another stack encrypts with its own key."""
        exported = self._run("stack", "export", "--stack", self.name, "--show-secrets")
        return json.loads(exported)["deployment"]

    def load(self, deployment: Mapping[str, Any]) -> None:
        """Replace the state."""
        with tempfile.TemporaryDirectory(prefix="atwork-state-") as folder:
            file = Path(folder, "state.json")
            file.write_text(json.dumps({"version": 3, "deployment": deployment}))
            self._run("stack", "import", "--stack", self.name, "--file", str(file))

    def delete_from_state(self, urn: str) -> None:
        """Remove a resource from the state; the object in the cloud stays as it is."""
        self._run("state", "delete", urn, "--stack", self.name, "--yes")

    def remove(self) -> None:
        """Remove an empty stack from the backend; its file stays."""
        from atwork.engine.automation import workspace

        with workspace(self.backend) as project:
            project.remove_stack(self.name, preserve_config=True)

    def tags(self) -> dict[str, str]:
        """The stack's tags."""
        from atwork.engine.automation import workspace

        with workspace(self.backend) as project:
            return dict(project.list_tags(self.name))

    def set_tag(self, key: str, value: str) -> None:
        """Set a tag, or remove it with the value ""."""
        from atwork.engine.automation import workspace

        with workspace(self.backend) as project:
            if value:
                project.set_tag(self.name, key, value)
            else:
                project.remove_tag(self.name, key)

    def _policies(self, *, enabled: bool = True) -> list[str]:
        pack = self.backend.policy_pack if enabled else None
        return [] if pack is None else ["--policy-pack", str(pack)]

    def _run(self, *words: str) -> str:
        with self.backend.environment() as environment:
            return runner.run(self.backend.program, words, folder=self.backend.project, environment=environment).stdout

    def _operate(self, words: Sequence[str], **options: Unpack[Options]) -> Outcome:
        """Run an operation to its end and collect its events, which are deleted afterwards."""
        signals = options.get("signals") or Signals()
        outcome = Outcome(self.name)
        began = time.monotonic()
        with (
            tempfile.TemporaryDirectory(dir=self.backend.events_folder, prefix=EVENTS_PREFIX) as name,
            self.backend.environment() as environment,
            nullcontext() if "signals" in options else signals.handled(),
            Path(name, "output").open("w+") as output,
        ):
            log = Path(name, "events.jsonl")
            shown = ["--color", "never", "--suppress-progress", "--suppress-outputs"]
            process = runner.start(
                self.backend.program,
                [words[0], "--stack", self.name, *words[1:], *shown, "--event-log", str(log)],
                folder=self.backend.project,
                environment={**environment, **options.get("variables", {}), "PULUMI_DEBUG_COMMANDS": "true"},
                output=output,
            )
            with signals.forwarded_to(process):
                for event in follow(log, process):
                    outcome.add(event)
                    options.get("on_event", _ignore)(event)
                    if (urn := started(event)) is not None:
                        options.get("on_resource", _ignore)(outcome, name_of(urn))
                code = process.wait()
            output.seek(0)
            outcome.end(code, output.read())
        if "signals" not in options:
            signals.raise_if_received()
        outcome.seconds = time.monotonic() - began
        return outcome


def _ignore(*_: object) -> None:
    """Do nothing."""
