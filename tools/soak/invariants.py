"""What must be true after every step.

State and simulated cloud have the same objects with the same properties, with five exceptions:

- after a kill: the `pending_operations` of the state, and the operations in the journal of the killed process
  (`.sandbox/running`), until the next `atwork sandbox up`, which has to resolve them;
- what the soak changed without Pulumi, until the next refresh;
- the inputs of an update that changed the object and then failed (`initErrors` in the state): the engine keeps the old
  inputs, so that the next update repeats it
  (https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/engine/update.go, OnResourceStepPost);
- what Google Cloud never deletes: it stays and belongs to no stack;
- what the program leaves to its database instance (`retain_on_delete`): the engine removes it from the state without
  a call of the provider, so that it stays if a kill comes before the deletion of the instance.
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
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import deployment
from infra import PROJECT

Stamp = tuple[int, int, int, int]
"""Values that change with the content of a file: inode, size, times of modification and change."""
_SIMULATED = ("gcp:", "kubernetes:")
_LEFT_TO_INSTANCE = ("gcp:sql/database:Database", "gcp:sql/user:User")


def excused(home: Home, stack: str) -> set[str]:
    """URNs of operations that a kill may have left pending."""
    pending: Any = deployment(home, stack).get("pending_operations") or []
    recorded = (process.urns for process in journal.unfinished(home.running, stack))
    return {str(operation["resource"]["urn"]) for operation in pending}.union(*recorded)


def disagreements(home: Home, stack: str, drifted: Collection[str] = ()) -> Iterator[str]:
    """Orphans, ghosts and differences between a stack's state and the simulated cloud."""
    resources: Any = deployment(home, stack).get("resources") or []
    in_state = {
        (each["urn"], each["id"]): each
        for each in resources
        if each.get("custom") and each["type"].startswith(_SIMULATED)
    }
    in_cloud = {(each.urn, each.id): each for each in Cloud(home.cloud).objects() if stack_of(each.urn) == stack}
    allowed = excused(home, stack).union(drifted)
    for urn, identity in sorted({*in_state, *in_cloud}):
        if urn in allowed:
            continue
        if (urn, identity) not in in_state and in_cloud[urn, identity].type in _LEFT_TO_INSTANCE:
            continue
        if (urn, identity) not in in_state:
            yield f"orphan: {urn} ({identity}) is in the cloud and not in the state"
        elif (urn, identity) not in in_cloud:
            yield f"ghost: {urn} ({identity}) is in the state and not in the cloud"
        else:
            yield from _differences(urn, in_state[urn, identity], in_cloud[urn, identity])


def left_in_instances(home: Home, stack: str, project: str) -> list[str]:
    """IDs of what an unfinished removal left in the database instances of a project, and the state does not have."""
    resources: Any = deployment(home, stack).get("resources") or []
    in_state = {each.get("id") for each in resources}
    cloud = Cloud(home.cloud)
    in_cloud = [item.id for kind in _LEFT_TO_INSTANCE for item in cloud.objects("", kind)]
    return [identity for identity in in_cloud if project in identity and identity not in in_state]


def _differences(urn: str, resource: dict[str, Any], live: CloudObject) -> Iterator[str]:
    compared = [("output", resource.get("outputs") or {}, live.outputs)]
    if not resource.get("initErrors"):
        compared.insert(0, ("input", resource.get("inputs") or {}, live.inputs))
    for kind, in_state, in_cloud in compared:
        for key in sorted({*in_state, *in_cloud} - {"__defaults"}):
            expected, value = in_state.get(key), in_cloud.get(key)
            if not _has_secret(expected) and not _has_secret(value) and expected != value:
                yield f"difference: {urn}: {kind} {key} is {expected!r} in the state and {value!r} in the cloud"


def _has_secret(value: Any) -> bool:
    """Whether a value contains a secret: state and cloud encrypt it differently."""
    return SECRET in json.dumps(value)


def changed_files(home: Home, seen: dict[Path, Stamp]) -> list[Path]:
    """Files below the checkout that are new or changed since the last call; their stamps are in `seen`.

    SQLite files are always included: SQLite also writes them through shared memory, which may not change their times.
    """
    changed: list[Path] = []
    for folder, _, names in os.walk(home.checkout):
        for path in (Path(folder, name) for name in names):
            try:
                status = path.lstat()
            except FileNotFoundError:  # deleted since the folder was read
                continue
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if stat.S_ISREG(status.st_mode) and (seen.get(path) != stamp or ".sqlite" in path.suffix):
                changed.append(path)
                seen[path] = stamp
    return [path for path in changed if path != home.passphrase]


def secrets_in_clear(files: Collection[Path], secrets: Collection[str]) -> list[str]:
    """The files that contain a secret in clear or in base64.

    Another process searches them: this process would release SQLite's locks when it closes a database file. A file may
    be gone by then: the last process that closes a database deletes its log.
    """
    encoded = [base64.b64encode(secret.encode()).decode().rstrip("=") for secret in secrets]
    patterns = [option for text in (*secrets, *encoded) for option in ("-e", text)]
    # With the null device, because grep needs a file.
    command = ["/usr/bin/env", "grep", "-laF", *patterns, "--", os.devnull, *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    problems = [line for line in result.stderr.splitlines() if not line.endswith(": No such file or directory")]
    if problems or result.returncode not in (0, 1, 2):
        raise RuntimeError(f"grep ended with {result.returncode}: {'; '.join(problems)}")
    return result.stdout.splitlines()


def locks(home: Home, stack: str) -> list[Path]:
    """The engine's locks of a stack; the engine regards every file in the folder as a lock."""
    return sorted((home.state / ".pulumi" / "locks" / "organization" / PROJECT / stack).glob("*"))


def unfinished_files(home: Home, *, after_kill: bool) -> Iterator[Path]:
    """Files of the engine that must not exist: `.attrs` never, `.tmp` only after a kill."""
    for path in sorted(home.state.rglob("*")):
        if path.suffix == ".attrs" or (path.suffix == ".tmp" and not after_kill):
            yield path


def sandbox_lock(home: Home) -> list[str]:
    """A problem if the sandbox's own lock is held."""
    try:
        with suppress(FileNotFoundError), home.locked("soak"):
            pass
    except SandboxError as error:
        return [f"lock: {error}"]
    return []
