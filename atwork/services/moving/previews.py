"""The previews of both stacks, before a move and after it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from atwork.engine.backend import Backend
from atwork.preview.run import previews
from atwork.report import terminal
from atwork.report.model import Change, StackReport
from atwork.services.moving.plan import Move


def previewed(move: Move, backend: Backend, stacks: Sequence[str], console: Console) -> list[StackReport]:
    """The previews of stacks, each once."""
    stacks = list(dict.fromkeys(stacks))
    with terminal.watcher(console) as watch:
        return previews(backend, move.checkout, stacks, watch)


def _changes(report: StackReport) -> list[Change]:
    """The changes in a preview, without the provider of stack references, which the first update adds to a state."""
    return [change for change in report.changes if change.type != "pulumi:providers:pulumi"]


def obstacles(report: StackReport) -> list[str]:
    """What must be done with a stack before a move."""
    changes = [f"{change.kind} {change.name}" for change in _changes(report)]
    refused = [report.result] if report.result in ("blocked", "failed") else []
    return [*changes, *(f"output {output.name}" for output in report.outputs), *report.errors] or refused


def surplus(move: Move, report: StackReport) -> list[str]:
    """What a preview shows after the move although it must not."""
    # The jobs of a group are one object of its own, which the first service creates and the last one deletes.
    jobs = {f"jenkins-{group}-jobs" for group in (move.group, move.group_before)}
    lines = [
        f"the next update would {change.kind} {change.name}"
        for change in _changes(report)
        if change.kind in ("create", "replace", "delete", "retain") and change.name not in jobs
    ]
    lines += report.errors
    if not lines and report.result in ("blocked", "failed"):
        lines.append(f"its preview is {report.result}; run `atwork preview {report.stack}`")
    return [f"{report.stack}: {line}" for line in lines]
