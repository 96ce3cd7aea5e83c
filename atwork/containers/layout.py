"""Images as OCI layouts: one of one layer is written from the tar of a root file system, and any image is read.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import hashlib
import json
import platform
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20
_GZIP = 31  # zlib's window bits for a gzip header
_TYPE = "application/vnd.oci.image"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class LayoutImage:
    """The one image of a layout."""

    configuration: Mapping[str, Any]
    """The fields Env, Entrypoint, Cmd and so on."""
    content: tuple[str, ...]
    """Digests of the unpacked layers."""
    layers: tuple[Path, ...]
    """Archives, the lowest first."""


def read_layout(folder: Path) -> LayoutImage:
    """Read a layout that has one image."""

    def blob(digest: str) -> Path:
        return folder / "blobs" / digest.replace(":", "/")

    [described] = json.loads((folder / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(described["digest"]).read_text())
    config = json.loads(blob(manifest["config"]["digest"]).read_text())
    layers = tuple(blob(layer["digest"]) for layer in manifest["layers"])
    return LayoutImage(config.get("config") or {}, tuple(config["rootfs"]["diff_ids"]), layers)


def architecture() -> str:
    """This machine's architecture, as images call it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def write_layout(tar: Path, configuration: Mapping[str, Any], folder: Path) -> None:
    """Write the layout to an empty folder; `configuration` has the fields Env, Entrypoint, Cmd and so on."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    plain, packed = hashlib.sha256(), hashlib.sha256()
    unfinished = blobs / "layer"
    compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    with tar.open("rb") as source, unfinished.open("wb") as target:
        while chunk := source.read(_CHUNK):
            plain.update(chunk)
            _write(compressor.compress(chunk), target, packed)
        _write(compressor.flush(), target, packed)
    layer = {
        "mediaType": f"{_TYPE}.layer.v1.tar+gzip",
        "digest": f"sha256:{packed.hexdigest()}",
        "size": unfinished.stat().st_size,
    }
    unfinished.rename(blobs / packed.hexdigest())
    config = _blob(
        blobs,
        f"{_TYPE}.config.v1+json",
        {
            "architecture": architecture(),
            "os": "linux",
            "config": dict(configuration),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{plain.hexdigest()}"]},
        },
    )
    manifest_type = f"{_TYPE}.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": [layer]}
    index = {"schemaVersion": 2, "manifests": [_blob(blobs, manifest_type, manifest)]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))


def _write(data: bytes, target: Any, digest: Any) -> None:
    digest.update(data)
    target.write(data)


def _blob(blobs: Path, media_type: str, document: Mapping[str, Any]) -> dict[str, Any]:
    content = json.dumps(document).encode()
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}
