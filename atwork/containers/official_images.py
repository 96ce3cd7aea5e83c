"""Docker's official images, copied into a folder from Docker Hub or a mirror of it."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from atwork.containers.errors import ContainerError
from atwork.containers.stand_ins import stand_in

# https://github.com/distribution/reference/blob/v0.6.0/regexp.go, for a name of one part
_REFERENCE = re.compile(r"(?P<name>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*):(?P<tag>\w[\w.-]{0,127})")
_BASE = re.compile(r"^FROM\s+\$\{?DOCKER_HUB\}?/library/(\S+)", re.MULTILINE)
_PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}


@dataclass(frozen=True)
class OfficialImage:
    """An image such as `python:3.13-slim`, which Docker Hub has as `library/python:3.13-slim`."""

    name: str
    tag: str

    @classmethod
    def find(cls, text: str) -> OfficialImage | None:
        """The image that `NAME:TAG` names; a digest after it is left out, because a stand-in has another."""
        match = _REFERENCE.fullmatch(text.partition("@")[0])
        return None if match is None else cls(match["name"], match["tag"])

    @classmethod
    def read(cls, text: str) -> OfficialImage:
        """The image that a person names; `ContainerError` for a name of another kind."""
        image = cls.find(text)
        if image is None:
            raise ContainerError(f"{text}: is no official image with a tag; write NAME:TAG, such as python:3.13-slim")
        return image

    def __str__(self) -> str:
        """As a Dockerfile names it."""
        return f"{self.name}:{self.tag}"


def base_images(dockerfile: str) -> list[OfficialImage]:
    """The official images that a Dockerfile takes from the mirror of Docker Hub, each once."""
    return list(dict.fromkeys(OfficialImage.read(text) for text in _BASE.findall(dockerfile)))


@dataclass(frozen=True)
class OfficialImages:
    """The images that were fetched into `folder`, each an OCI layout."""

    folder: Path

    def fetched(self, image: OfficialImage) -> Path | None:
        """The layout of an image, if it was fetched."""
        layout = self._layout(image)
        return layout if layout.exists() else None

    def layout(self, image: OfficialImage, console: Console) -> Path:
        """The layout of an image that was fetched, or of its stand-in; `ContainerError` if there is neither."""
        return self.fetched(image) or stand_in(image.name, console)

    def fetch(self, image: OfficialImage, host: str, crane: Path, environment: Mapping[str, str] = os.environ) -> Path:
        """Fetch an image, or what its tag names now; `ContainerError` if the host cannot be reached or has it not."""
        layout, reference = self._layout(image), f"{host}/library/{image}"
        version = ["--platform", _PLATFORMS.get(platform.machine(), "linux/amd64")]
        digest = _crane(crane, environment, host, "digest", *version, reference)
        if layout.exists() and digest_of(layout) == digest:
            return layout
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=self.folder) as scratch:
            new = Path(scratch, "layout")
            _crane(crane, environment, host, "pull", "--format=oci", *version, reference, str(new))
            if layout.exists():
                shutil.rmtree(layout)
            new.rename(layout)
        return layout

    def _layout(self, image: OfficialImage) -> Path:
        return self.folder / f"{image.name}-{image.tag}"


def digest_of(layout: Path) -> str:
    """The digest of the one image in an OCI layout."""
    return json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]


def _crane(crane: Path, environment: Mapping[str, str], host: str, *words: str) -> str:
    done = subprocess.run(
        [str(crane), *words],
        env=dict(environment),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ContainerError(f"cannot be fetched from {host}: {last.removeprefix('Error: ')}")
    return done.stdout.strip()
