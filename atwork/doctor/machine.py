"""What is on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.markers import Marker

from atwork.environments.preflight import Check, right, wrong

OLDEST = (3, 11)
DISK_GB = 5
"""What the engine, its modules while it is built, and the sandbox take."""

ASTRAY = {
    "PULUMI_HOME": "leads the engine to another home than ~/.pulumi",
    "PULUMI_DEBUG_PROVIDERS": "puts other providers in the place of the official ones",
    "PULUMI_CONFIG_PASSPHRASE": "is for stacks with a passphrase, and ours have keys",
    "PULUMI_CONFIG_PASSPHRASE_FILE": "is for stacks with a passphrase, and ours have keys",
    "PULUMI_STACK": "chooses a stack behind your back",
    "PULUMI_DIY_BACKEND_LEGACY_LAYOUT": "keeps the state where nobody looks for it",
    "GOOGLE_CREDENTIALS": "goes before your login, for the providers alone",
    "GOOGLE_PROJECT": "goes before the project of what does not name one",
}
"""Variables that lead away from what the stack files say."""


def checks(checkout: Path, *, real: bool, bucket: str = "") -> Iterator[Check]:
    """All of the machine; `real` is whether an environment in Google Cloud is worked on."""
    yield _python()
    yield _packages(checkout)
    yield _engine()
    yield _tool("git", "git", ("--version",), "apt-get install git", needed=True)
    plugin = "gcloud components install gke-gcloud-auth-plugin"
    yield _tool("gke-gcloud-auth-plugin", "gke-gcloud-auth-plugin", ("--version",), plugin, needed=real)
    sdk = "https://cloud.google.com/sdk/docs/install; for people, nothing here calls it"
    yield _tool("gcloud", "gcloud", ("--version",), sdk, needed=False)
    yield _go()
    yield _cache()
    yield _variables(os.environ, bucket)


def _python() -> Check:
    found = sys.version_info[:3]
    words = ".".join(map(str, found))
    return Check("Python", found[:2] >= OLDEST, words, "make setup PYTHON=/path/to/python3.11 or later")


def pins(text: str) -> dict[str, str]:
    """Packages and versions of a requirements file, as far as they are for this machine."""
    found: dict[str, str] = {}
    for match in re.finditer(r"^([A-Za-z0-9._-]+)==(\S+?)(?: *; *(.+?))? *\\?$", text, re.MULTILINE):
        if match[3] is None or Marker(match[3].rstrip("\\ ")).evaluate():
            found[match[1]] = match[2]
    return found


def _packages(checkout: Path) -> Check:
    stale: list[str] = []
    wanted = pins((checkout / "requirements" / "run.txt").read_text())
    for name, pin in wanted.items():
        try:
            there = version(name)
        except PackageNotFoundError:
            there = "nothing"
        if there != pin:
            stale.append(f"{name} {there} in place of {pin}")
    if not stale:
        return right("packages", f"{len(wanted)} as pinned")
    more = f" and {len(stale) - 3} more" if len(stale) > 3 else ""
    return wrong("packages", ", ".join(stale[:3]) + more, "make setup")


def _engine() -> Check:
    from atwork.engine.build import PULUMI
    from atwork.engine.locate import EngineError, found

    install = "https://www.pulumi.com/docs/install"
    try:
        engine = found()
    except EngineError as error:
        words, _, fix = str(error).rpartition("; ")
        return wrong("engine", words, fix)
    if engine is not None:
        return right("engine", f"{engine.version}, {engine.path}")
    if (PULUMI.folder() / "pulumi").exists():
        return right("engine", f"{PULUMI.version()}, built here; Google Cloud wants the official one: {install}")
    words = "none on PATH; it is built at first use, in 4 minutes, for the sandbox"
    return wrong("engine", words, f"atwork engine, or {install}", needed=False)


def _tool(name: str, command: str, words: tuple[str, ...], fix: str, *, needed: bool) -> Check:
    path = shutil.which(command)
    if path is None:
        return wrong(name, "not on PATH", fix, needed=needed)
    try:
        done = subprocess.run([path, *words], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return wrong(name, f"{path} does not run", fix, needed=needed)
    said = (done.stdout or done.stderr).strip().splitlines()[:1]
    if done.returncode:
        return wrong(name, f"{path} does not run: {''.join(said)[:80]}", fix, needed=needed)
    return right(name, "".join(said)[:60])


def _go() -> Check:
    there = _tool("Go", "go", ("version",), "", needed=False)
    return there if there.ok else right("Go", "not on PATH; it comes from the package index where it is needed")


def _cache() -> Check:
    from atwork.files import cache_folder

    folder = cache_folder()
    parent = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(parent).free / 1e9
    if not os.access(parent, os.W_OK):
        return wrong("cache", f"{folder} cannot be written", "set ATWORK_CACHE to a folder of yours")
    enough = free >= DISK_GB
    words = f"{folder}, {free:.0f} GB free"
    return Check("cache", enough, words, "" if enough else f"make room ({DISK_GB} GB), or set ATWORK_CACHE elsewhere")


def _variables(environment: Mapping[str, str], bucket: str) -> Check:
    astray = {name: why for name, why in ASTRAY.items() if environment.get(name)}
    backend = environment.get("PULUMI_BACKEND_URL", "")
    if backend and bucket and backend != bucket:
        astray["PULUMI_BACKEND_URL"] = f"is {backend}, and the state is in {bucket}"
    if not astray:
        words = f"PULUMI_BACKEND_URL is {backend}" if backend else "none leads astray; PULUMI_BACKEND_URL is not set"
        return right("variables", words)
    words = "; ".join(f"{name} {why}" for name, why in astray.items())
    return wrong("variables", words, f"unset {' '.join(astray)}")
