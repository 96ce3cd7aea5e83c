"""Recovery from a killed run, at the start of the next run.

The lock of an ended process is removed. The changes that an interrupted run was asked to make are in the state, as
pending operations, and in the journal of the process that served the providers, if that process was killed, too. An
object that the run created and the state does not have is deleted: in a real cloud a person would import it, but here
it has no content yet. Updated and deleted objects are read again.

An object that a finished run left in the cloud, such as a database that outlives its stack, belongs to no stack from
the next run on; an object that moved to the state of another stack of the environment belongs to that one, and an
imported object to the stack that has it now. A killed run that tried to create the same object again does not make it
an orphan.
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
from infra.stack_name import StackName


def recover(home: Home, stack: Stack, fleet: Fleet | None, console: Console) -> None:
    """Recover from an interrupted run of a stack; the caller holds the lock of the sandbox."""
    name = stack.name
    for folder in home.folder.glob(f"{EVENTS_PREFIX}*"):
        shutil.rmtree(folder)
    for path in state_files.stale_locks(home, name):
        path.unlink(missing_ok=True)
        console.print(f"{name}: removed the lock of a run that is gone")
    for repair in state_files.repair(home, name):
        console.print(f"{name}: {repair}")
    unfinished = journal.unfinished(home.running, name)
    pending = _pending(home, name)
    if not pending and not unfinished:
        _settle_owners(home, name)
        return
    # The refresh first clears the pending operations: if this run is killed, too, the next run still knows them.
    remembered = journal.remember(home.running, name, pending.union(*(calls.urns for calls in unfinished)))
    _delete_orphans(home, name, fleet, remembered.urns, console)
    if pending or deployment(home, name).get("resources"):
        reason = f"{len(pending)} interrupted operation(s)" if pending else "a run was killed"
        console.print(f"{name}: {reason}; comparing the state with the cloud")
        outcome = stack.refresh(clear_pending_creates=True)
        if outcome.failed:
            raise SandboxError("\n".join([f"{name}: could not recover: {outcome.errors[0]}", *outcome.errors[1:]]))
    for calls in (*unfinished, remembered):
        calls.path.unlink(missing_ok=True)


def _pending(home: Home, stack: str) -> frozenset[str]:
    """URNs of the pending operations."""
    operations = cast("list[dict[str, Any]]", deployment(home, stack).get("pending_operations") or [])
    return frozenset(str(operation["resource"]["urn"]) for operation in operations)


def _known(home: Home, stack: str) -> set[tuple[str, str]]:
    """URN and id of every resource in the state."""
    return {(str(each["urn"]), str(each.get("id", ""))) for each in state_files.resources(home, stack)}


def _settle_owners(home: Home, stack: str) -> None:
    """Release the objects that a run left in the cloud, or that another stack has; take those that were imported."""
    cloud, known = Cloud(home.cloud), _known(home, stack)
    objects = cloud.objects()
    kept = [each for each in objects if stack_of(each.urn) == stack and (each.urn, each.id) not in known]
    moved = _of_other_stacks(home, stack) if kept else {}
    for each in kept:
        cloud.assign(each, moved.get((each.type, each.id), ""))
    free = {(each.type, each.id): each for each in objects if not each.urn and not each.scope}
    for each in state_files.resources(home, stack) if free else ():
        imported = free.get((str(each["type"]), str(each.get("id", ""))))
        if imported is not None and not each.get("external"):
            cloud.assign(imported, str(each["urn"]))


def _of_other_stacks(home: Home, stack: str) -> dict[tuple[str, str], str]:
    """URN by type and id of each object in the other stacks of the same environment."""
    environment = StackName.parse(stack).environment
    return {
        (str(resource["type"]), str(resource["id"])): str(resource["urn"])
        for other in state_files.stack_names(home)
        if other != stack and StackName.parse(other).environment == environment
        for resource in state_files.resources(home, other)
        if "id" in resource
    }


def _delete_orphans(home: Home, stack: str, fleet: Fleet | None, urns: frozenset[str], console: Console) -> None:
    """Delete only the objects with the URNs of interrupted operations that are not in the state.

    The engine's option `refresh --import-pending-creates` only marks an operation as importing; the refresh after it
    drops this mark and imports nothing.
    https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/cmd/pulumi/operations/refresh.go
    """
    cloud, known = Cloud(home.cloud), _known(home, stack)
    orphans = [each for each in cloud.objects() if each.urn in urns and (each.urn, each.id) not in known]
    for orphan in orphans:
        if fleet is not None and orphan.scope:
            from atwork.sandbox.provider.kubernetes.orphans import delete  # the client is slow to import

            delete(fleet, orphan)
        cloud.delete(orphan.scope, orphan.type, orphan.id)
    if orphans:
        console.print(f"{stack}: deleted {len(orphans)} object(s) of interrupted operations that are not in the state")
