"""Whether the installed Python packages are at their pinned versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from atwork.environments.preflight.check import Check, right, wrong


def check(checkout: Path) -> Check:
    """Compare with the checkout's lock files; the sandbox's counts where the sandbox is installed or has been used."""
    files = ["run.txt"]
    if (checkout / ".sandbox").is_dir() or any(_installed(name) for name in _extra("sandbox")):
        files.append("sandbox.txt")
    texts = [(checkout / "requirements" / file).read_text() for file in files]
    wanted = dict.fromkeys(pin for text in texts for pin in pins(text).items())
    stale = [
        f"{name} {_installed(name) or 'nothing'} instead of {pin}" for name, pin in wanted if _installed(name) != pin
    ]
    if not stale:
        return right("packages", f"{len(wanted)} at their pinned versions")
    more = f" and {len(stale) - 3} more" if len(stale) > 3 else ""
    return wrong("packages", ", ".join(stale[:3]) + more, "make setup")


def pins(text: str) -> dict[str, str]:
    """Packages and versions of a requirements file that apply to this machine."""
    pinned: dict[str, str] = {}
    for match in re.finditer(r"^([A-Za-z0-9._-]+)==(\S+?)(?: *; *(.+?))? *\\?$", text, re.MULTILINE):
        if match[3] is None or Marker(match[3].rstrip("\\ ")).evaluate():
            pinned[match[1]] = match[2]
    return pinned


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _extra(extra: str) -> Iterator[str]:
    """The packages that only an extra of this project requires, as pyproject.toml states them."""
    for requirement in map(Requirement, requires("atwork") or ()):
        marker = requirement.marker
        if marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""}):
            yield requirement.name
