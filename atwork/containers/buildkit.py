"""BuildKit on this machine: a daemon for one pod, with a cache that all of them share."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from filelock import FileLock

from atwork.containers.errors import ContainerError
from atwork.containers.namespaces import Namespaces, stop
from atwork.containers.runtime import write_runtime

_READY_SECONDS = 60.0

CACHE_MEGABYTES = 8_000
"""What a cache is pruned to once a day. BuildKit's own pruning begins a minute after a build: it has ended then."""
_DAY_SECONDS = 86_400


@contextmanager
def buildkit(
    programs: Path, inside: Namespaces, folder: Path, cache: Path, environment: Mapping[str, str]
) -> Generator[str]:
    """The address of a daemon that runs in `inside`, with its socket and its log in `folder`.

    `programs` is the folder with buildkitd and buildctl, `cache` holds the layers of all builds. Containers of a build
    use the network of `inside`. One daemon at a time uses a cache; another one waits for its end.
    """
    cache.mkdir(parents=True, exist_ok=True)
    address = f"unix://{folder / 'buildkitd.sock'}"
    command = [
        str(programs / "buildkitd"),
        f"--addr={address}",
        f"--root={cache}",
        "--oci-worker=true",
        "--containerd-worker=false",
        f"--oci-worker-binary={write_runtime(folder)}",
        "--oci-worker-snapshotter=overlayfs",
        "--oci-worker-net=host",
    ]
    log = folder / "buildkitd.log"
    with FileLock(cache.with_suffix(".lock")), log.open("ab") as output:
        child = subprocess.Popen(
            inside.command(["env", *(f"{key}={value}" for key, value in environment.items()), *command]),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            _wait(programs, address, child, log)
            yield address
            _prune(programs, address, cache.with_suffix(".pruned"), output)
        finally:
            stop(child)  # before the lock: the next daemon cannot begin while this one holds the cache


def _prune(programs: Path, address: str, stamp: Path, output: IO[bytes]) -> None:
    if stamp.exists() and time.time() - stamp.stat().st_mtime < _DAY_SECONDS:
        return
    command = [str(programs / "buildctl"), f"--addr={address}", "prune", f"--keep-storage={CACHE_MEGABYTES}"]
    subprocess.run(command, stdout=output, stderr=output, check=False)  # a full cache is no reason to fail
    stamp.touch()


def _wait(programs: Path, address: str, child: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _READY_SECONDS
    probe = [str(programs / "buildctl"), f"--addr={address}", "debug", "workers"]
    while subprocess.run(probe, capture_output=True, check=False).returncode:
        if child.poll() is not None or time.monotonic() > end:
            reason, _, _ = log.read_text(errors="replace").partition("\n")
            raise ContainerError(f"{log}: BuildKit does not start: {reason[:300]}")
        time.sleep(0.1)
