"""What a killed run leaves behind, and how the next one repairs it.

The lock of a process that is gone is removed. The changes that an interrupted run was asked to make are in the state,
as pending operations, and in the notes of the process that served the providers, if that process died as well. An
object that the run created and the state does not have is deleted again: in a real cloud it would have to be imported
by hand, and here it holds nothing yet. Updated and deleted objects are read again.

An object that a run in order left in the cloud, such as a database that outlives its stack, belongs to no stack from
the next run on. A run that is killed while it tries to create the same object again does not make it an orphan.
"""

from __future__ import annotations

import shutil
from typing import Any, cast

from rich.console import Console

from atwork.engine.stack import EVENTS_PREFIX, Stack
from atwork.engine.urn import stack_of
from atwork.errors import SandboxError
from atwork.sandbox import journal, state_files
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import deployment


def recover(home: Home, stack: Stack, fleet: Fleet | None, console: Console) -> None:
    """Repair what an interrupted run of a stack left; call it while the sandbox is locked."""
    name = stack.name
    for folder in home.folder.glob(f"{EVENTS_PREFIX}*"):
        shutil.rmtree(folder)
    for path in state_files.stale_locks(home, name):
        path.unlink(missing_ok=True)
        console.print(f"{name}: removed the lock of a run that is gone")
    for repair in state_files.mend(home, name):
        console.print(f"{name}: {repair}")
    notes = journal.unfinished(home.running, name)
    pending = _pending(home, name)
    if not pending and not notes:
        _release_kept(home, name)
        return
    # Before the state forgets them: if this run is killed as well, the next one still knows what to look for.
    _delete_orphans(home, name, fleet, pending.union(*(note.urns for note in notes)), console)
    if pending or deployment(home, name).get("resources"):
        reason = f"{len(pending)} interrupted operation(s)" if pending else "a run was cut off"
        console.print(f"{name}: {reason}; comparing the state with the cloud")
        outcome = stack.refresh(clear_pending_creates=True)
        if outcome.failed:
            raise SandboxError("\n".join([f"{name}: could not recover: {outcome.errors[0]}", *outcome.errors[1:]]))
    for note in notes:
        note.path.unlink()


def _pending(home: Home, stack: str) -> frozenset[str]:
    """URNs of the operations of which the engine does not know how they ended."""
    operations = cast("list[dict[str, Any]]", deployment(home, stack).get("pending_operations") or [])
    return frozenset(str(operation["resource"]["urn"]) for operation in operations)


def _known(home: Home, stack: str) -> set[tuple[str, str]]:
    """URN and id of every resource in the state."""
    return {(str(each["urn"]), str(each.get("id", ""))) for each in state_files.resources(home, stack)}


def _release_kept(home: Home, stack: str) -> None:
    """Release the objects that the state does not have: an earlier run left them in the cloud on purpose."""
    cloud, known = Cloud(home.cloud), _known(home, stack)
    for each in cloud.objects():
        if stack_of(each.urn) == stack and (each.urn, each.id) not in known:
            cloud.release(each)


def _delete_orphans(home: Home, stack: str, fleet: Fleet | None, asked: frozenset[str], console: Console) -> None:
    """Delete the objects that an interrupted run was asked for and the state does not have, and no others.

    The engine's own way, `refresh --import-pending-creates`, only marks an operation as importing, and the refresh
    after it drops that mark and imports nothing.
    https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/cmd/pulumi/operations/refresh.go
    """
    cloud, known = Cloud(home.cloud), _known(home, stack)
    orphans = [each for each in cloud.objects() if each.urn in asked and (each.urn, each.id) not in known]
    for orphan in orphans:
        if fleet is not None and orphan.scope:
            from atwork.sandbox.provider.kubernetes.orphans import delete  # the client is slow to import

            delete(fleet, orphan)
        cloud.delete(orphan.scope, orphan.type, orphan.id)
    if orphans:
        console.print(f"{stack}: deleted {len(orphans)} half-made object(s) that the state never learned of")
