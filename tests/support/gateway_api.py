"""The genuine CustomResourceDefinitions of the Gateway API, from the module that tools/gatewayapi pins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from infra.config import STACKS

_MODULE = "sigs.k8s.io/gateway-api"
_SOURCES = STACKS.parent / "tools" / "gatewayapi"


def definitions(*plurals: str) -> list[dict[str, Any]]:
    """Definitions of the standard channel, which GKE installs; go.sum holds the module's checksum."""
    done = subprocess.run(
        [shutil.which("go") or "go", "mod", "download", "-json", _MODULE],
        cwd=_SOURCES,
        env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(json.loads(done.stdout)["Dir"]) / "config" / "crd" / "standard"
    return [yaml.safe_load((folder / f"gateway.networking.k8s.io_{plural}.yaml").read_text()) for plural in plurals]
