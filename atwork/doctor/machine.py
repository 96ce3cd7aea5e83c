"""Checks of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from atwork.doctor import packages
from atwork.environments.preflight.check import Check, right, wrong
from atwork.toolchain import machine

OLDEST = (3, 11)
DISK_GB = 5
"""Space for the engine, for its modules while it is built, and for the sandbox."""

MISLEADING = {
    "PULUMI_HOME": "gives the engine another home than ~/.pulumi",
    "PULUMI_DEBUG_PROVIDERS": "replaces the official providers",
    "PULUMI_CONFIG_PASSPHRASE": "is for stacks with a passphrase, but these stacks use keys",
    "PULUMI_CONFIG_PASSPHRASE_FILE": "is for stacks with a passphrase, but these stacks use keys",
    "PULUMI_STACK": "selects a stack without your choice",
    "PULUMI_DIY_BACKEND_LEGACY_LAYOUT": "stores the state in another layout",
    "GOOGLE_CREDENTIALS": "overrides your login, for the providers only",
    "GOOGLE_PROJECT": "overrides the project of resources that name none",
}
"""Environment variables that override what the stack files say."""


def checks(checkout: Path, *, real: bool, bucket: str = "") -> Iterator[Check]:
    """Check the machine; `real` is whether it is used for an environment in Google Cloud."""
    yield _python()
    yield packages.check(checkout)
    yield _engine()
    yield _tool("git", "git", ("--version",), "make packages", needed=True)
    yield _programs()
    plugin = "gcloud components install gke-gcloud-auth-plugin"
    yield _tool("gke-gcloud-auth-plugin", "gke-gcloud-auth-plugin", ("--version",), plugin, needed=real)
    sdk = "https://cloud.google.com/sdk/docs/install; optional, no command calls it"
    yield _tool("gcloud", "gcloud", ("--version",), sdk, needed=False)
    yield _go()
    yield _cache()
    yield _variables(os.environ, bucket)


def _python() -> Check:
    version_info = sys.version_info[:3]
    return Check(
        "Python",
        version_info[:2] >= OLDEST,
        ".".join(map(str, version_info)),
        "make setup PYTHON=/path/to/python3.11 or later",
    )


def _engine() -> Check:
    from atwork.engine.build import PULUMI
    from atwork.engine.locate import EngineError, find_installed

    install = "https://www.pulumi.com/docs/install"
    try:
        engine = find_installed()
    except EngineError as error:
        detail, _, fix = str(error).rpartition("; ")
        return wrong("engine", detail, fix)
    if engine is not None:
        return right("engine", f"{engine.version}, {engine.path}")
    if (PULUMI.folder() / "pulumi").exists():
        return right(
            "engine", f"{PULUMI.version()}, built from source; use the official one for Google Cloud: {install}"
        )
    detail = "not on PATH; the sandbox builds it at first use, in 4 minutes"
    return wrong("engine", detail, f"atwork engine, or {install}", needed=False)


def _tool(name: str, command: str, arguments: tuple[str, ...], fix: str, *, needed: bool) -> Check:
    path = shutil.which(command)
    if path is None:
        return wrong(name, "not on PATH", fix, needed=needed)
    try:
        result = subprocess.run([path, *arguments], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return wrong(name, f"{path} does not run", fix, needed=needed)
    output = (result.stdout or result.stderr).strip().splitlines()[:1]
    if result.returncode:
        return wrong(name, f"{path} does not run: {''.join(output)[:80]}", fix, needed=needed)
    return right(name, "".join(output)[:60])


def _programs() -> Check:
    absent = machine.absent()
    if not absent:
        return right("programs", ", ".join(machine.PROGRAMS))
    detail = "; ".join(f"{program.name} is missing, for {program.purpose}" for program in absent)
    return wrong("programs", detail, "make packages", needed=False)


def _go() -> Check:
    installed = _tool("Go", "go", ("version",), "", needed=False)
    return (
        installed if installed.ok else right("Go", "not on PATH; downloaded from the package index when it is needed")
    )


def _cache() -> Check:
    from atwork.files import cache_folder

    folder = cache_folder()
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(parent).free / 1e9
    if not os.access(parent, os.W_OK):
        return wrong("cache", f"{folder} is not writable", "set ATWORK_CACHE to a writable folder")
    enough = free >= DISK_GB
    detail = f"{folder}, {free:.0f} GB free"
    return Check("cache", enough, detail, "" if enough else f"free {DISK_GB} GB, or set ATWORK_CACHE to another disk")


def _variables(environment: Mapping[str, str], bucket: str) -> Check:
    misleading = {name: why for name, why in MISLEADING.items() if environment.get(name)}
    backend = environment.get("PULUMI_BACKEND_URL", "")
    if backend and bucket and backend != bucket:
        misleading["PULUMI_BACKEND_URL"] = f"is {backend}, but the state is in {bucket}"
    if not misleading:
        detail = f"PULUMI_BACKEND_URL is {backend}" if backend else "none is misleading; PULUMI_BACKEND_URL is not set"
        return right("variables", detail)
    detail = "; ".join(f"{name} {why}" for name, why in misleading.items())
    return wrong("variables", detail, f"unset {' '.join(misleading)}")
