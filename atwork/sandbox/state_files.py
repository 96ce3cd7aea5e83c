"""The files of the engine's backend, and what a killed engine leaves among them.

The engine writes NAME.HEX.tmp and renames it to NAME, so that a kill leaves the old file and, at most, the temporary
one. That holds for the state, its copy, the history, the tags, the locks and meta.yaml alike. By default it also writes
NAME.attrs, and that in place: a kill leaves it empty, and then the engine cannot read NAME ("EOF"). The option
`metadata=skip` of the backend's URL turns these files off.
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
"""How long a process may take between creating a lock's file and having written its few bytes."""


def state_file(home: Home, stack: str) -> Path:
    """Where the engine's file backend keeps a stack."""
    return home.state / ".pulumi" / "stacks" / PROJECT / f"{stack}.json"


def stack_names(home: Home) -> list[str]:
    """Every stack that has a state, with or without a stack file."""
    return sorted(path.stem for path in state_file(home, "any").parent.glob("*.json"))


def deployment(home: Home, stack: str) -> dict[str, Any]:
    """The state of a stack as it is on disk; empty if there is none yet."""
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
    """Locks of a stack whose process is gone, and cut-off ones; `SandboxError` for one whose process lives.

    To the engine every file in this folder is a lock, a temporary one as well.
    """
    stale: list[Path] = []
    for path in sorted((_locks(home) / stack).glob("*")):
        lock = _read_lock(path)
        dead = lock is None or (lock["hostname"] == socket.gethostname() and not alive(lock["pid"]))
        if not path.exists():  # released meanwhile
            continue
        if lock is not None and not dead:
            raise SandboxError(
                f"{path.relative_to(home.checkout)}: pid {lock['pid']} on {lock['hostname']} is changing {stack}; "
                "wait for it, or end it and try again"
            )
        stale.append(path)
    return stale


def remove_unreadable(home: Home) -> None:
    """Remove the files that would keep the engine from reading its backend at all.

    These are locks that a kill cut off ("unexpected end of JSON input"), and the `.attrs` files of sandboxes that were
    made without `metadata=skip`. meta.yaml.attrs was written before all others and is removed after them: where it is
    missing there are none.
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


def mend(home: Home, stack: str) -> list[str]:
    """Put right the files of a stack on which no engine works; what was done, in words.

    A kill cannot damage a state, but a machine that goes down can: the engine does not wait for the disk. Then the
    copy from before the last change takes its place.
    """
    done: list[str] = []
    for path in _temporary_files(home, stack):
        path.unlink(missing_ok=True)
        done.append(f"removed {path.name}, which an interrupted run left")
    state = state_file(home, stack)
    if state.exists() and not _is_json(state):
        before = state.with_name(f"{state.name}.bak")
        if not before.exists() or not _is_json(before):
            raise SandboxError(
                f"{state.relative_to(home.checkout)}: damaged, and so is its copy; `atwork sandbox reset` starts with "
                "an empty sandbox"
            )
        shutil.copyfile(before, state)
        done.append(f"restored {state.name}, which was damaged, from {before.name}")
    return done


def _temporary_files(home: Home, stack: str) -> list[Path]:
    """What a write that was cut off left of a stack's state, history and backups, and of meta.yaml."""
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
    """Process (`pid`) and machine (`hostname`) of a lock; None where it is cut off or gone."""
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
