"""`atwork service move`: moves a deployed service between groups without a change in the cloud.

In each environment where the two groups are in different stacks, the resources of the service move from the state of
one stack to that of the other. The new state is written first, then the old one, and the service file moves last: a
command that is killed is repeated, and continues where it ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.engine import choice
from atwork.engine.backend import Backend
from atwork.errors import ExitCode, UsageError
from atwork.group_files import write_stack_files
from atwork.services.moving.plan import Move, Transfer
from atwork.services.moving.previews import obstacles, previewed, surplus
from atwork.services.moving.states import Place, check_state, place_of, write
from atwork.services.moving.undo import Undo
from infra.layout import SERVICES_FOLDER


def move(name: str, group: str) -> int:
    """Move a service to a group; the exit code is 1 if a preview shows more than the move afterwards."""
    console = Console(highlight=False, soft_wrap=True)
    move = Move.of(find_checkout(), name, group)
    with _opened(move, console) as backend:
        places = _checked(move, backend, console)
    waiting = [transfer for transfer, place in places.items() if place in ("source", "both")]
    if move.new_stacks:
        for file in write_stack_files(move.checkout.root, group, move.environments, move.services_after):
            console.print(f"{move.shown(file)}: written")
    undo = Undo.prepared(move, interrupted=any(place in ("both", "target") for place in places.values()))
    with _opened(move, console) as backend:
        for transfer in waiting:
            write(move, backend, transfer, undo, console)
    move.new_file.parent.mkdir(exist_ok=True)
    move.file.rename(move.new_file)
    console.print(f"{move.shown(move.new_file)}: moved from {move.shown(move.file)}")
    stacks = [str(stack) for transfer in waiting for stack in (transfer.source, transfer.target)]
    with _opened(move, console) as backend:
        _recover(backend, places)
        wrong = [line for report in previewed(move, backend, stacks, console) for line in surplus(move, report)]
    for line in wrong:
        console.print(line, markup=False)
    for line in undo.commands(places):
        console.print(line, markup=False)
    if wrong:
        return ExitCode.FAILED
    console.print(f"{name}: moved to {group}; commit the files, and merge them before the next update of these stacks")
    return ExitCode.OK


def _checked(move: Move, backend: Backend, console: Console) -> dict[Transfer, Place]:
    """Where the resources are, for each transfer; an error where anything is in the way. Writes nothing."""
    places: dict[Transfer, Place] = {}
    transfers = move.transfers
    _recover(backend, transfers)
    for transfer in transfers:
        places[transfer] = place_of(move, backend, transfer)
    waiting = [transfer for transfer, place in places.items() if place in ("source", "both")]
    if move.in_place:
        file = move.shown(move.file)
        if not waiting:
            raise UsageError(f"{file}: {move.name} is in {move.group} already; nothing to move")
        source = waiting[0].source
        folder = SERVICES_FOLDER if source.group is None else f"{SERVICES_FOLDER}/{source.group}"
        raise UsageError(
            f"{file}: moved by hand, and {source} has the resources; `mv {file} {folder}/`, and run this again"
        )
    for transfer in waiting:
        for stack in (transfer.source, transfer.target):
            check_state(move, backend, str(stack))
    # The states of an interrupted move differ from the files; the first command has checked them.
    untouched = [
        str(stack)
        for transfer, place in places.items()
        if place == "source"
        for stack in (transfer.source, transfer.target)
        if (backend.deployment(str(stack)) or {}).get("resources")
    ]
    for report in previewed(move, backend, untouched, console):
        if changes := obstacles(report):
            raise UsageError(
                f"{report.stack}: its preview must have no changes before the move ({', '.join(changes[:3])}); "
                "update it, then run this again"
            )
    return places


def _recover(backend: Backend, transfers: Iterable[Transfer]) -> None:
    for transfer in transfers:
        for stack in (str(transfer.source), str(transfer.target)):
            if backend.deployment(stack) is not None:
                backend.recover(stack)


def _opened(move: Move, console: Console) -> AbstractContextManager[Backend]:
    """The backend, with the stack files as they are now."""
    return choice.chosen(move.checkout, console, "atwork service move")
