"""The files of the engine's backend, and the remains of a killed engine among them.

The engine writes NAME.HEX.tmp and renames it to NAME: after a kill the old file is complete, and a temporary file may
remain. This applies to the state, its copy, the history, the tags, the locks and meta.yaml. By default the engine also
writes NAME.attrs in place: after a kill it can be empty, and then the engine cannot read NAME ("EOF"). The option
`metadata=skip` in the URL of the backend turns these files off.
https://github.com/google/go-cloud/blob/master/blob/fileblob/fileblob.go
https://github.com/pulumi/pulumi/tree/master/pkg/backend/diy
"""

from __future__ import annotations

import json
import shutil
import socket
import time
from pathlib import Path
from typing import Any

from atwork.engine.process import alive
from atwork.errors import SandboxError
from atwork.sandbox.home import Home
from infra import PROJECT

_WRITING_TRIES, _WRITING_SECONDS = 60, 0.05
"""The time that a process may take between the creation of a lock file and the end of its write."""


def state_file(home: Home, stack: str) -> Path:
    """The file with the state of a stack."""
    return home.state / ".pulumi" / "stacks" / PROJECT / f"{stack}.json"


def stack_names(home: Home) -> list[str]:
    """Every stack that has a state, with or without a stack file."""
    return sorted(path.stem for path in state_file(home, "any").parent.glob("*.json"))


def deployment(home: Home, stack: str) -> dict[str, Any]:
    """The state of a stack on disk; empty if there is none yet."""
    path = state_file(home, stack)
    try:
        checkpoint = json.loads(path.read_text())["checkpoint"]
    except FileNotFoundError:
        return {}
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        shown = path.relative_to(home.checkout)
        raise SandboxError(f"{shown}: damaged ({error}); `atwork sandbox reset` starts with an empty sandbox") from None
    return checkpoint.get("latest") or {}


def resources(home: Home, stack: str) -> list[dict[str, Any]]:
    """The resources in the state of a stack."""
    return deployment(home, stack).get("resources") or []


def stale_locks(home: Home, stack: str) -> list[Path]:
    """Locks of a stack whose process has ended, and incomplete locks; `SandboxError` if the process of a lock runs.

    The engine regards every file in this folder as a lock, temporary files included.
    """
    stale: list[Path] = []
    for path in sorted((_locks(home) / stack).glob("*")):
        lock = _read_lock(path)
        dead = lock is None or (lock["hostname"] == socket.gethostname() and not alive(lock["pid"]))
        if not path.exists():  # released while it was read
            continue
        if lock is not None and not dead:
            raise SandboxError(
                f"{path.relative_to(home.checkout)}: pid {lock['pid']} on {lock['hostname']} is changing {stack}; "
                "wait for it, or end it and try again"
            )
        stale.append(path)
    return stale


def remove_unreadable(home: Home) -> None:
    """Remove the files with which the engine cannot read its backend.

    These are incomplete locks ("unexpected end of JSON input") and the `.attrs` files of sandboxes that were created
    without `metadata=skip`. The engine wrote meta.yaml.attrs before all others, and it is removed last: without it,
    there are no others.
    """
    for path in _locks(home).glob("*/*"):
        if _read_lock(path) is None:
            path.unlink(missing_ok=True)
    first = home.state / ".pulumi" / "meta.yaml.attrs"
    if first.exists():
        for path in first.parent.rglob("*.attrs"):
            if path != first:
                path.unlink(missing_ok=True)
        first.unlink(missing_ok=True)


def repair(home: Home, stack: str) -> list[str]:
    """Repair the files of a stack that no engine uses now, and describe the repairs.

    A kill cannot damage a state, but a crash of the machine can, because the engine does not wait for the disk. Then
    the copy from before the last change replaces it.
    """
    repairs: list[str] = []
    for path in _temporary_files(home, stack):
        path.unlink(missing_ok=True)
        repairs.append(f"removed {path.name}, which an interrupted run left")
    state = state_file(home, stack)
    if state.exists() and not _is_json(state):
        before = state.with_name(f"{state.name}.bak")
        if not before.exists() or not _is_json(before):
            raise SandboxError(
                f"{state.relative_to(home.checkout)}: damaged, and so is its copy; `atwork sandbox reset` starts with "
                "an empty sandbox"
            )
        shutil.copyfile(before, state)
        repairs.append(f"restored {state.name}, which was damaged, from {before.name}")
    return repairs


def _temporary_files(home: Home, stack: str) -> list[Path]:
    """Temporary files of interrupted writes: of the state, history and backups of a stack, and of meta.yaml."""
    root = home.state / ".pulumi"
    folders = [root / kind / PROJECT / stack for kind in ("history", "backups")]
    return sorted(
        [
            *root.glob("meta.yaml.*.tmp"),
            *state_file(home, stack).parent.glob(f"{stack}.*.tmp"),
            *(path for folder in folders for path in folder.glob("*.tmp")),
        ]
    )


def _locks(home: Home) -> Path:
    return home.state / ".pulumi" / "locks" / "organization" / PROJECT


def _read_lock(path: Path) -> dict[str, Any] | None:
    """Process (`pid`) and machine (`hostname`) of a lock; None if it is incomplete or released."""
    for _ in range(_WRITING_TRIES):
        try:
            lock: dict[str, Any] = json.loads(path.read_text())
            return {"pid": int(lock["pid"]), "hostname": str(lock["hostname"])}
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            time.sleep(_WRITING_SECONDS)
    return None


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
