"""What must hold after every step.

State and simulated cloud hold the same objects with the same properties. There are four exceptions, and no others:

- after a kill, what the state has under `pending_operations`, or the dead process had noted as asked for
  (`.sandbox/running`): until the next `atwork sandbox up`, which has to solve them;
- what the soak itself changed behind Pulumi's back: until the next refresh;
- what Google Cloud never deletes: it stays, and belongs to no stack;
- what the program leaves to its instance (`retain_on_delete`): the engine forgets it and asks no provider, so that a
  kill before the instance is deleted leaves it.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from atwork.engine.urn import stack_of
from atwork.engine.wire import SECRET
from atwork.errors import SandboxError
from atwork.sandbox import journal
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import deployment
from infra import PROJECT

Stamp = tuple[int, int, int, int]
"""What changes with a file's content: inode, size, times of modification and change."""
_OURS = ("gcp:", "kubernetes:")
_LEFT_TO_ITS_INSTANCE = ("gcp:sql/database:Database", "gcp:sql/user:User")


def excused(home: Home, stack: str) -> set[str]:
    """URNs that a kill may have left undecided."""
    pending: Any = deployment(home, stack).get("pending_operations") or []
    noted = (one.urns for one in journal.unfinished(home.running, stack))
    return {str(one["resource"]["urn"]) for one in pending}.union(*noted)


def disagreements(home: Home, stack: str, behind: Collection[str] = ()) -> Iterator[str]:
    """Orphans, ghosts and differences between a stack's state and the simulated cloud."""
    resources: Any = deployment(home, stack).get("resources") or []
    kept = {(one["urn"], one["id"]): one for one in resources if one.get("custom") and one["type"].startswith(_OURS)}
    there = {(one.urn, one.id): one for one in Cloud(home.cloud).objects() if stack_of(one.urn) == stack}
    allowed = excused(home, stack).union(behind)
    for urn, identity in sorted({*kept, *there}):
        if urn in allowed:
            continue
        if (urn, identity) not in kept and there[urn, identity].type in _LEFT_TO_ITS_INSTANCE:
            continue
        if (urn, identity) not in kept:
            yield f"orphan: {urn} ({identity}) is in the cloud and not in the state"
        elif (urn, identity) not in there:
            yield f"ghost: {urn} ({identity}) is in the state and not in the cloud"
        else:
            yield from _differences(urn, kept[urn, identity], there[urn, identity])


def _differences(urn: str, kept: dict[str, Any], there: Any) -> Iterator[str]:
    for kind, inside, outside in (
        ("input", kept.get("inputs") or {}, there.inputs),
        ("output", kept.get("outputs") or {}, there.outputs),
    ):
        for key in sorted({*inside, *outside} - {"__defaults"}):
            before, after = inside.get(key), outside.get(key)
            if not _secret(before) and not _secret(after) and before != after:
                yield f"difference: {urn}: {kind} {key} is {before!r} in the state and {after!r} in the cloud"


def _secret(value: Any) -> bool:
    """Whether a value is encrypted somewhere inside: the state's cipher is not the cloud's."""
    return SECRET in json.dumps(value)


def changed_files(home: Home, seen: dict[Path, Stamp]) -> list[Path]:
    """Files below the checkout that are new or changed since the last look, whose stamps are in `seen`.

    SQLite's are always among them: it writes them through memory as well, which need not change the time.
    """
    changed: list[Path] = []
    for folder, _, names in os.walk(home.checkout):
        for path in (Path(folder, name) for name in names):
            about = path.lstat()
            stamp = (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
            if stat.S_ISREG(about.st_mode) and (seen.get(path) != stamp or ".sqlite" in path.suffix):
                changed.append(path)
                seen[path] = stamp
    return [path for path in changed if path != home.passphrase]


def secrets_in_clear(files: Collection[Path], secrets: Collection[str]) -> list[str]:
    """Those of the files that hold a secret, as it is or in base64.

    By another process: SQLite's locks go when this one closes its file.
    """
    forms = [form for one in secrets for form in (one, base64.b64encode(one.encode()).decode().rstrip("="))]
    words = [word for form in forms for word in ("-e", form)]
    # With a file that has nothing in it, so that there is always one.
    command = ["/usr/bin/env", "grep", "-laF", *words, "--", os.devnull, *map(str, files)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode not in (0, 1):
        raise RuntimeError(f"grep: {found.stderr}")
    return found.stdout.splitlines()


def locks(home: Home, stack: str) -> list[Path]:
    """The engine's locks of a stack: to it every file in the folder is one."""
    return sorted((home.state / ".pulumi" / "locks" / "organization" / PROJECT / stack).glob("*"))


def unfinished_files(home: Home, *, after_kill: bool) -> Iterator[Path]:
    """Files that the engine wrote beside its own: notes that it must never write, and after a kill temporary ones."""
    for path in sorted(home.state.rglob("*")):
        if path.suffix == ".attrs" or (path.suffix == ".tmp" and not after_kill):
            yield path


def sandbox_lock(home: Home) -> list[str]:
    """Whether the sandbox's own lock is free."""
    try:
        with suppress(FileNotFoundError), home.locked("soak"):
            pass
    except SandboxError as error:
        return [f"lock: {error}"]
    return []
