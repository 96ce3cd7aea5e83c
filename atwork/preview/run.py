"""Previews of stacks as reports."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

from atwork.checkout import Checkout
from atwork.engine.backend import Backend
from atwork.engine.outcome import Outcome
from atwork.engine.scratch import scratch
from atwork.engine.signals import Signals
from atwork.engine.urn import name_of
from atwork.locks import store
from atwork.preview.holders import holders
from atwork.report.model import StackReport
from atwork.report.read import Reading
from atwork.report.terminal import ProgressWatch
from infra import PLATFORM, SHARED
from infra.stack_name import StackName
from infra.yaml_lines import with_lines

_PARALLEL = max(4, os.cpu_count() or 1)
"""Previews at the same time: each has an engine and a program in memory, and the stacks can be many."""


def previews(
    backend: Backend,
    checkout: Checkout,
    stacks: Sequence[str],
    watch: ProgressWatch,
    *,
    refresh: bool = False,
    **about: str,
) -> list[StackReport]:
    """One report for each stack, several at a time, in the order asked for."""
    signals = Signals()
    with signals.handled(), ThreadPoolExecutor(max_workers=_PARALLEL) as pool:

        def report(stack: str) -> StackReport:
            return preview(backend, checkout, stack, watch, signals, refresh=refresh, **about)

        reports = list(pool.map(report, stacks))
    signals.raise_if_received()
    return reports


def preview(
    backend: Backend,
    checkout: Checkout,
    stack: str,
    watch: ProgressWatch,
    signals: Signals,
    *,
    refresh: bool = False,
    **about: str,
) -> StackReport:
    """What would happen to one stack; a stack that does not exist is previewed against an empty state of its own."""
    began = time.monotonic()
    state = backend.deployment(stack)
    held, unread = holders(store.of(backend.url), stack)
    reading = Reading(stack)

    def reached(_outcome: Outcome, name: str) -> None:
        watch(stack, len(reading.seen), name)

    place: AbstractContextManager[Backend] = nullcontext(backend) if state is not None else scratch(backend, stack)
    with place as shown:
        outcome = shown.stack(stack).preview(
            refresh=refresh, on_event=reading.take, on_resource=reached, signals=signals
        )
    if outcome.failed and not reading.errors and not any(policy.mandatory for policy in reading.policies):
        # What the engine says before it has events: a locked state, a wrong passphrase, a missing plugin.
        reading.errors.append(outcome.errors[0].partition("\n")[0])
    reading.errors[:] = [with_lines(error, checkout.root) for error in reading.errors]
    return reading.report(
        code=outcome.code,
        pending=_pending(state),
        read_by=lambda output: _readers(checkout, stack, output),
        new=state is None,
        unasked=os.environ.get("PULUMI_DISABLE_PROVIDER_PREVIEW", "").lower() in ("1", "true"),
        updated=_updated(state),
        held=held,
        held_unread=unread,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 1),
        **about,
    )


def _pending(state: Mapping[str, Any] | None) -> list[str]:
    """The operations that an interrupted update left, in words."""
    return [
        f"{operation.get('type', 'operation')} {name_of(str(operation['resource']['urn']))}"
        for operation in (state or {}).get("pending_operations") or ()
    ]


def _updated(state: Mapping[str, Any] | None) -> str:
    """When a state was last written; the engine's zero is the year 1."""
    text = str(((state or {}).get("manifest") or {}).get("time", ""))
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return written.astimezone(UTC).isoformat(timespec="seconds") if written.year > 1 else ""


def _readers(checkout: Checkout, stack: str, output: str) -> tuple[str, ...]:
    """The stacks that read an output: later environments `platform`, groups of services `shared`."""
    match = re.match(r"\w+", output)
    published = match[0] if match else ""
    if published not in (PLATFORM, SHARED):
        return ()
    readers = [name for name in checkout.stack_names() if checkout.upstream(name) == stack]
    return tuple(name for name in readers if (StackName.parse(name).group is None) == (published == PLATFORM))
