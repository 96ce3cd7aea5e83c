"""What a killed run leaves behind, and how the next one puts it right.

A lock of a process that is gone is removed. A resource whose creation was cut off is imported when the cloud has
it, and forgotten when it has not. What the cloud did in the last moment, before the state was told of it, is found in
the notes of the process that died: what was made is deleted again, for in a real cloud it would have to be imported
by hand, and here it holds nothing yet; what was changed or deleted is read anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any, cast

from rich.console import Console

from atwork.sandbox import backend, journal
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.home import Home, SandboxError
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
    cloud = Cloud(session.home.cloud)
    read_anew = _resolve_pending(session, stack, cloud, console)
    if notes:
        _delete_orphans(
            session.home, session.fleet, stack, cloud, frozenset[str]().union(*(one.urns for one in notes)), console
        )
        if not read_anew and deployment(session.home, stack).get("resources"):
            console.print(f"{stack}: a run was cut off; comparing the state with the cloud")
            _refresh(session, stack, ["--clear-pending-creates"])
    for one in notes:
        one.path.unlink()


def _resolve_pending(session: Session, stack: str, cloud: Cloud, console: Console) -> bool:
    """Import or forget what was being created, and read everything anew; whether there was anything."""
    pending = cast("list[dict[str, Any]]", deployment(session.home, stack).get("pending_operations") or [])
    if not pending:
        return False
    known = _known(session.home, stack)
    arguments: list[str] = []
    for operation in pending:
        urn = str(operation["resource"]["urn"])
        made = cloud.find_by_urn(urn) if operation["type"] == "creating" else None
        # Of a replacement that was cut off before the new one was made, the cloud has the old one alone.
        if made is not None and (urn, made) not in known:
            arguments += ["--import-pending-creates", urn, "--import-pending-creates", made]
    console.print(f"{stack}: {len(pending)} interrupted operation(s); comparing the state with the cloud")
    _refresh(session, stack, [*arguments, "--clear-pending-creates"])
    return True


def _refresh(session: Session, stack: str, more: Sequence[str]) -> None:
    done = session.run(["refresh", "--stack", stack, "--yes", "--skip-preview", "--suppress-outputs", *more])
    if done.returncode:
        raise SandboxError(f"{stack}: could not recover: {(done.stderr or done.stdout).strip()[-1500:]}")


def _known(home: Home, stack: str) -> set[tuple[str, str]]:
    """URN and id of everything in the state."""
    resources = cast("list[dict[str, Any]]", deployment(home, stack).get("resources") or [])
    return {(str(one["urn"]), str(one.get("id", ""))) for one in resources}


def _delete_orphans(
    home: Home, fleet: Fleet | None, stack: str, cloud: Cloud, asked: frozenset[str], console: Console
) -> None:
    """Delete what a dead process was asked for and the state never learned of; whatever else is there is not ours."""
    known = _known(home, stack)
    orphans = [one for one in cloud.objects() if one.urn in asked and (one.urn, one.id) not in known]
    for one in orphans:
        if fleet is not None and one.scope:
            from atwork.sandbox.provider.kubernetes.orphans import delete  # the client is slow to import

            delete(fleet, one)
        cloud.delete(one.scope, one.type, one.id)
    if orphans:
        console.print(f"{stack}: deleted {len(orphans)} half-made object(s) that the state never learned of")
