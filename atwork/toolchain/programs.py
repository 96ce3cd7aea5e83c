"""The programs beside the engine that tests and commands run: on PATH, or built into the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console

from atwork.toolchain.gobuild import Program, provide

HELM = Program(
    "helm",
    "helm.sh/helm/v3",
    {"helm": "helm.sh/helm/v3/cmd/helm"},
    minutes=5,
    variables={"helm.sh/helm/v3/internal/version.version": "{version}"},
)
"""Packages, checks and pushes charts."""

_CONTAINERS = "github.com/google/go-containerregistry"
REGISTRY = Program(
    "registry",
    _CONTAINERS,
    {"crane": f"{_CONTAINERS}/cmd/crane", "registry": f"{_CONTAINERS}/cmd/registry"},
    minutes=1,
)
"""A container registry in memory, and the client that promotes images."""


ACTIONLINT = Program(
    "actionlint",
    "github.com/rhysd/actionlint",
    {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
    minutes=1,
)
"""Checks workflows."""


def actionlint(console: Console) -> Path:
    """The checker of workflows: the one on PATH, or the one in the cache."""
    found = shutil.which("actionlint")
    return Path(found) if found else provide(ACTIONLINT, console) / "actionlint"


def helm(console: Console) -> Path:
    """Helm 3: the one on PATH, or the one in the cache."""
    found = shutil.which("helm")
    return Path(found) if found else provide(HELM, console) / "helm"


def registry(console: Console) -> tuple[Path, Path]:
    """The client and the registry; nobody has the latter on PATH, so that both come from the cache."""
    folder = provide(REGISTRY, console)
    return folder / "crane", folder / "registry"
