"""Images of a registry as folders that runc can run."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from atwork.containers.errors import ContainerError
from atwork.containers.namespaces import Namespaces

_IMAGES = 12
"""How many images stay between runs; each has 100 to 400 MB."""

_UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Unpacked:
    """A root file system, and the settings of its image."""

    root: Path
    configuration: Mapping[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the image sets."""
        return dict(pair.split("=", 1) for pair in self.configuration.get("Env") or ())

    def command(self, words: list[str] | None = None, arguments: list[str] | None = None) -> list[str]:
        """The command of a container whose pod says `command` and `args`, as Kubernetes composes it."""
        entrypoint = words or self.configuration.get("Entrypoint") or []
        default = [] if words else self.configuration.get("Cmd") or []
        return [*entrypoint, *(default if arguments is None else arguments)]


@dataclass(frozen=True)
class ImageStore:
    """Images that are unpacked once for all runs on this machine, and to which no container writes."""

    crane: Path
    folder: Path

    def pull(self, reference: str, environment: Mapping[str, str]) -> Unpacked:
        """Pull an image; `environment` has the proxy and the login of the registry, which is asked each time."""
        described = json.loads(self._run(environment, reference, "config", reference))
        layers = json.dumps(described["rootfs"]["diff_ids"])  # images that differ in labels alone share them
        root = self.folder / hashlib.sha256(layers.encode()).hexdigest()
        with FileLock(root.with_suffix(".lock")):
            if not root.exists():
                self._unpack(environment, reference, root)
        os.utime(root)
        return Unpacked(root, described.get("config") or {})

    def _unpack(self, environment: Mapping[str, str], reference: str, root: Path) -> None:
        unfinished, archive = root.with_suffix(_UNFINISHED), root.with_suffix(".tar")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            self._run(environment, reference, "export", reference, str(archive))
            extract = ["tar", "--extract", "--file", str(archive), "--directory", str(unfinished)]
            done = subprocess.run(extract, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ContainerError(f"{reference}: cannot be unpacked into {root}: {done.stderr.strip()[-300:]}")
            unfinished.rename(root)
        finally:
            archive.unlink(missing_ok=True)
            shutil.rmtree(unfinished, ignore_errors=True)

    def _run(self, environment: Mapping[str, str], reference: str, *words: str) -> bytes:
        done = subprocess.run([str(self.crane), *words], env=dict(environment), capture_output=True, check=False)
        if done.returncode:
            raise ContainerError(f"{reference}: cannot be pulled: {done.stderr.decode().strip()[-400:]}")
        return done.stdout


@contextmanager
def image_store(crane: Path, folder: Path) -> Generator[ImageStore]:
    """The store in `folder`, which runs share.

    All but the images that were used last are removed, if no other run uses the store.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "in-use").open("w") as in_use:
        with suppress(BlockingIOError):
            fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_unused(folder)
        fcntl.flock(in_use, fcntl.LOCK_SH)
        yield ImageStore(crane, folder)


def _remove_unused(folder: Path) -> None:
    roots = (path for path in folder.iterdir() if path.is_dir() and not path.suffix)
    for root in sorted(roots, key=lambda root: root.stat().st_mtime, reverse=True)[_IMAGES:]:
        root.rename(root.with_suffix(_UNFINISHED))  # first: a root is complete or absent
    for left in folder.glob(f"*{_UNFINISHED}"):
        shutil.rmtree(left, ignore_errors=True)
    for archive in folder.glob("*.tar"):
        archive.unlink()


def layered(image: Unpacked, inside: Namespaces, folder: Path, security: Mapping[str, Any]) -> Unpacked:
    """The image for a container with this `securityContext`, with a layer in `folder` for what it writes.

    The layer is mounted until the namespaces end.
    """
    if security.get("readOnlyRootFilesystem"):
        return image
    for part in ("changes", "work", "root"):
        (folder / part).mkdir(parents=True)
    layers = f"lowerdir={image.root},upperdir={folder / 'changes'},workdir={folder / 'work'}"
    mount = inside.command(["mount", "-t", "overlay", "overlay", "-o", layers, str(folder / "root")])
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ContainerError(f"{folder}: cannot mount an overlay file system: {done.stderr.strip()[-300:]}")
    return Unpacked(folder / "root", image.configuration)
