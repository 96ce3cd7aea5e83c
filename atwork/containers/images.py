"""Images of a registry, and of OCI layouts, as folders that runc can run."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from atwork.containers.errors import ContainerError
from atwork.containers.layout import read_layout
from atwork.containers.namespaces import Namespaces

_IMAGES = 12
"""How many images stay between runs; each has 100 to 400 MB."""

_UNFINISHED = ".unfinished"

_REMOVED, _EMPTIED = ".wh.", ".wh..wh..opq"
"""Files of a layer that remove others below it: https://github.com/opencontainers/image-spec/blob/main/layer.md"""


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

        def fill(unfinished: Path) -> None:
            archive = unfinished.with_suffix(".tar")
            try:
                self._run(environment, reference, "export", reference, str(archive))
                _extract(archive, unfinished)
            finally:
                archive.unlink(missing_ok=True)

        return Unpacked(self._root(described["rootfs"]["diff_ids"], fill), described.get("config") or {})

    def puller(self, environment: Mapping[str, str]) -> Callable[[str], Unpacked]:
        """What pulls images with a login."""
        return lambda reference: self.pull(reference, environment)

    def unpacked(self, layout: Path) -> Unpacked:
        """The image of an OCI layout."""
        image = read_layout(layout)

        def fill(unfinished: Path) -> None:
            for layer in image.layers:
                _remove_hidden(layer, unfinished)
                _extract(layer, unfinished, f"--exclude={_REMOVED}*")

        return Unpacked(self._root(image.content, fill), image.configuration)

    def _root(self, content: Iterable[str], fill: Callable[[Path], None]) -> Path:
        """The root file system of an image with these layers; `fill` writes one that is not there yet."""
        layers = json.dumps([*content])  # images that differ in labels alone share them
        root = self.folder / hashlib.sha256(layers.encode()).hexdigest()
        with FileLock(root.with_suffix(".lock")):
            if not root.exists():
                unfinished = root.with_suffix(_UNFINISHED)
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                try:
                    fill(unfinished)
                    unfinished.rename(root)
                finally:
                    shutil.rmtree(unfinished, ignore_errors=True)
        os.utime(root)
        return root

    def _run(self, environment: Mapping[str, str], reference: str, *words: str) -> bytes:
        done = subprocess.run([str(self.crane), *words], env=dict(environment), capture_output=True, check=False)
        if done.returncode:
            raise ContainerError(f"{reference}: cannot be pulled: {done.stderr.decode().strip()[-400:]}")
        return done.stdout


def _extract(archive: Path, folder: Path, *options: str) -> None:
    extract = ["tar", "--extract", *options, "--file", str(archive), "--directory", str(folder)]
    done = subprocess.run(extract, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ContainerError(f"{archive}: cannot be unpacked into {folder}: {done.stderr.strip()[-300:]}")


def _remove_hidden(layer: Path, folder: Path) -> None:
    """Remove what a layer says is no longer there."""
    try:
        with tarfile.open(layer) as archive:
            names = [Path(name) for name in archive.getnames()]
    except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
        raise ContainerError(f"{layer}: cannot be unpacked into {folder}: {error}") from None
    for name in names:
        if name.name == _EMPTIED:
            gone = [*(folder / name.parent).iterdir()] if (folder / name.parent).exists() else []
        elif name.name.startswith(_REMOVED):
            gone = [folder / name.parent / name.name.removeprefix(_REMOVED)]
        else:
            continue
        for path in gone:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


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
