"""A copy of the checkout in another folder, with only its three environments."""

from __future__ import annotations

import shutil
from pathlib import Path

from atwork.environments.files import without_deploy
from infra.layout import stack_files

ROOT = Path(__file__).parents[2]
LONG_LIVED = ("ci", "staging", "production")


def copy(folder: Path, *more: str) -> Path:
    """Copy the stack files, the catalog and other parts by name, without other environments and services."""
    folder.mkdir(exist_ok=True)
    for part in ("Pulumi.yaml", "stacks", "services", *more):
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    ci = folder / "stacks" / "Pulumi.ci.yaml"
    for name, path in stack_files(folder / "stacks").items():
        if name not in LONG_LIVED:
            path.unlink()
            ci.write_text(without_deploy(ci.read_text(), name, "ci"))
    for path in (folder / "services").glob("*.yaml"):
        if path.stem != "orders":
            path.unlink()
    return folder
