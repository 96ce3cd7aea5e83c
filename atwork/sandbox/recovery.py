"""What a killed run leaves behind, and how the next one puts it right.

A lock of a process that is gone is removed. What an interrupted run was asked to change is in the state, as pending
operations, and in the notes of the process that served the providers, where that died as well. An object that the run
created and the state never learned of is deleted again: in a real cloud it would have to be imported by hand, and here
it holds nothing yet. What was changed or deleted is read anew.
"""

from __future__ import annotations

import shutil
from typing import Any, cast

from rich.console import Console

from atwork.errors import SandboxError
from atwork.sandbox import backend, journal
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home
from atwork.sandbox.operation import PREFIX
from atwork.sandbox.session import Session, deployment


def recover(session: Session, stack: str, console: Console) -> None:
    """Put right what an interrupted run of a stack left; to be called while the sandbox is locked."""
    for folder in session.home.folder.glob(f"{PREFIX}*"):
        shutil.rmtree(folder)
    for path in backend.stale_locks(session.home, stack):
        path.unlink(missing_ok=True)
        console.print(f"{stack}: removed the lock of a run that is gone")
    for mended in backend.mend(session.home, stack):
        console.print(f"{stack}: {mended}")
    notes = journal.unfinished(session.home.running, stack)
    pending = _pending(session.home, stack)
    # Before the state forgets them: when this run is killed as well, the next one still knows what to look for.
    _delete_orphans(session, stack, pending.union(*(one.urns for one in notes)), console)
    if pending or (notes and deployment(session.home, stack).get("resources")):
        what = f"{len(pending)} interrupted operation(s)" if pending else "a run was cut off"
        console.print(f"{stack}: {what}; comparing the state with the cloud")
        _refresh(session, stack)
    for one in notes:
        one.path.unlink()


def _pending(home: Home, stack: str) -> frozenset[str]:
    """URNs of the operations of which the engine does not know how they ended."""
    operations = cast("list[dict[str, Any]]", deployment(home, stack).get("pending_operations") or [])
    return frozenset(str(one["resource"]["urn"]) for one in operations)


def _refresh(session: Session, stack: str) -> None:
    command = ["refresh", "--stack", stack, "--yes", "--skip-preview", "--suppress-outputs", "--clear-pending-creates"]
    done = session.run(command)
    if done.returncode:
        raise SandboxError(f"{stack}: could not recover: {(done.stderr or done.stdout).strip()[-1500:]}")


def _known(home: Home, stack: str) -> set[tuple[str, str]]:
    """URN and id of everything in the state."""
    resources = cast("list[dict[str, Any]]", deployment(home, stack).get("resources") or [])
    return {(str(one["urn"]), str(one.get("id", ""))) for one in resources}


def _delete_orphans(session: Session, stack: str, asked: frozenset[str], console: Console) -> None:
    """Delete what an interrupted run asked for and the state never learned of; whatever else is there is not ours.

    The engine's own way, `refresh --import-pending-creates`, only marks an operation as importing, and the refresh
    after it drops that mark and imports nothing.
    https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/cmd/pulumi/operations/refresh.go
    """
    cloud, known = Cloud(session.home.cloud), _known(session.home, stack)
    orphans = [one for one in cloud.objects() if one.urn in asked and (one.urn, one.id) not in known]
    for one in orphans:
        if session.fleet is not None and one.scope:
            from atwork.sandbox.provider.kubernetes.orphans import delete  # the client is slow to import

            delete(session.fleet, one)
        cloud.delete(one.scope, one.type, one.id)
    if orphans:
        console.print(f"{stack}: deleted {len(orphans)} half-made object(s) that the state never learned of")
