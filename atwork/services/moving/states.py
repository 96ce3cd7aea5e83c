"""The states of two stacks before and after a move: where the resources are, what must be resolved, the two writes."""

from __future__ import annotations

from typing import Literal

from rich.console import Console

from atwork.engine.backend import Backend
from atwork.errors import BackendError
from atwork.group_files import secrets_provider
from atwork.locks import store
from atwork.preview.holders import holders
from atwork.services.moving import rewrite
from atwork.services.moving.plan import Move, Transfer
from atwork.services.moving.rewrite import Deployment
from atwork.services.moving.undo import Undo
from infra.layout import STACKS_FOLDER, stack_file

Place = Literal["source", "target", "both", "neither"]
"""Which of the two states have the resources of the service."""


def place_of(move: Move, backend: Backend, transfer: Transfer) -> Place:
    """Where the resources of the service are."""
    source, target = (
        bool(rewrite.resources_of(move.names, backend.deployment(str(stack)) or {}))
        for stack in (transfer.source, transfer.target)
    )
    if source:
        return "both" if target else "source"
    return "target" if target else "neither"


def check_state(move: Move, backend: Backend, stack: str) -> None:
    """Raise `BackendError` for a stack that is locked, or whose last update was interrupted."""
    held, _ = holders(store.of(backend.url), stack)
    if held:
        raise BackendError(f"{stack}: locked by {held[0].owner}; wait, or look at it with `atwork unlock {stack}`")
    unresolved = rewrite.unresolved(move.names, backend.deployment(stack) or {})
    if unresolved:
        raise BackendError(
            f"{stack}: an interrupted update left {', '.join(unresolved)}; run `pulumi refresh -s {stack}` and "
            f"`pulumi up -s {stack}`"
        )


def write(move: Move, backend: Backend, transfer: Transfer, undo: Undo, console: Console) -> None:
    """Write both states, first that which gets the resources."""
    source_name, target_name = str(transfer.source), str(transfer.target)
    source_stack, target_stack = backend.stack(source_name), backend.stack(target_name)
    source, target = _state(backend, source_name), backend.deployment(target_name)
    if target is None:
        target_stack.create(secrets_provider=secrets_provider(stack_file(backend.project / STACKS_FOLDER, target_name)))
        target = target_stack.export_in_plain_text()  # it has no resources, and so no secrets
    undo.add(source_name, source)
    undo.add(target_name, target)
    own = transfer.target.group is not None
    new_source, new_target = rewrite.moved(move.names, source, target, to=target_name, own=own)
    if rewrite.has_secrets(rewrite.added(target, new_target)):
        # The key of one stack does not decrypt the secrets of another; the engine encrypts these again.
        readable = source_stack.export_in_plain_text()
        _, new_target = rewrite.moved(move.names, readable, target, to=target_name, own=own)
    check_state(move, backend, source_name)
    check_state(move, backend, target_name)
    if _state(backend, source_name) != source or (backend.deployment(target_name) or target) != target:
        raise BackendError(f"{source_name} or {target_name}: updated meanwhile; run this again")
    target_stack.load(new_target)
    source_stack.load(new_source)
    count = len(rewrite.resources_of(move.names, source))
    console.print(f"{source_name}: {count} resources of {move.name} moved to {target_name}")


def _state(backend: Backend, stack: str) -> Deployment:
    state = backend.deployment(stack)
    if state is None:
        raise BackendError(f"{stack}: the stack is gone; run this again")
    return state
