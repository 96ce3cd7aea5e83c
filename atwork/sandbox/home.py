"""Where the sandbox of a checkout lives, and the lock that keeps two commands from changing it at once."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from atwork.checkout import Checkout, find_checkout
from atwork.errors import SandboxError
from atwork.files import replace_file
from atwork.sandbox.installed import require_extra


@dataclass(frozen=True)
class Home:
    """The folder `.sandbox` of a checkout; everything in it can be thrown away."""

    checkout: Path

    @property
    def project(self) -> Checkout:
        """The checkout, with its stack files and service files."""
        return Checkout(self.checkout)

    @property
    def folder(self) -> Path:
        """`.sandbox` itself."""
        return self.checkout / ".sandbox"

    @property
    def cloud(self) -> Path:
        """The simulated cloud, a SQLite file."""
        return self.folder / "cloud.sqlite"

    @property
    def faults(self) -> Path:
        """What is to go wrong, a SQLite file; not there where nothing is."""
        return self.folder / "faults.sqlite"

    @property
    def running(self) -> Path:
        """What processes that serve the providers were asked to change; empty when all ended in order."""
        return self.folder / "running"

    @property
    def state(self) -> Path:
        """The engine's file backend."""
        return self.folder / "state"

    @property
    def workspace(self) -> Path:
        """The project folder that the engine is shown; made anew for each run."""
        return self.folder / "workspace"

    @property
    def passphrase(self) -> Path:
        """File with the passphrase of the sandbox's secrets."""
        return self.folder / "passphrase"

    def prepare(self) -> None:
        """Create what must exist before an engine runs; `SandboxError` if the sandbox is not installed."""
        require_extra()
        for folder in (self.state, self.folder / "home", self.folder / "bin", self.folder / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
        with self.preparing():
            if not self.passphrase.exists() or not self.passphrase.stat().st_size:
                replace_file(self.passphrase, secrets.token_urlsafe(32), mode=0o600)
            self._write_shim()

    @contextmanager
    def preparing(self) -> Generator[None]:
        """Write the files that every engine reads; two commands that start at once do it one after the other."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "preparing"):
            yield

    def _write_shim(self) -> None:
        shim = self.folder / "bin" / "pulumi"
        words = shlex.join([sys.executable, "-m", "atwork.sandbox.shim", str(self.checkout)])
        text = f'#!/bin/sh\nexec {words} "$@"\n'
        if not shim.exists() or shim.read_text() != text:
            replace_file(shim, text, mode=0o755)

    def environment(self) -> dict[str, str]:
        """Variables that lead an engine into the sandbox."""
        return {
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.state}?metadata=skip",  # why: state_files.py
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        }

    @contextmanager
    def locked(self, command: str) -> Generator[None]:
        """Hold the sandbox for one command; `SandboxError` says who holds it already."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "lock"
        lock = FileLock(path)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise SandboxError(f"{path}: {_holder(path.read_text())} is at work; wait for it, or end it") from None
        try:
            since = datetime.now(UTC).strftime("%H:%M:%S UTC")
            path.write_text(json.dumps({"pid": os.getpid(), "command": command, "since": since}))
            yield
            path.write_text("")
        finally:
            lock.release()


def _holder(text: str) -> str:
    try:
        found = json.loads(text)
        return f"`{found['command']}` (pid {found['pid']}, since {found['since']})"
    except (json.JSONDecodeError, KeyError, TypeError):
        return "another command"


def here() -> Home:
    """The sandbox of the checkout around the working directory; `UsageError` outside of one."""
    return Home(find_checkout().root)
