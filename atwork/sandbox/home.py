"""The folder of a checkout's sandbox, and the lock that keeps two commands from changing it at the same time."""

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
    """The folder `.sandbox` of a checkout; all its content can be deleted."""

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
        """The faults to inject, a SQLite file; it exists only if there were faults."""
        return self.folder / "faults.sqlite"

    @property
    def running(self) -> Path:
        """Journals of the processes that serve the providers (journal.py); empty if all processes ended cleanly."""
        return self.folder / "running"

    @property
    def state(self) -> Path:
        """The folder of the engine's file backend."""
        return self.folder / "state"

    @property
    def workspace(self) -> Path:
        """The project folder that the engine uses; written again for each run."""
        return self.folder / "workspace"

    @property
    def passphrase(self) -> Path:
        """The file with the passphrase for the sandbox's secrets."""
        return self.folder / "passphrase"

    def prepare(self) -> None:
        """Create what an engine needs before it runs; `SandboxError` if the sandbox is not installed."""
        require_extra()
        for folder in (self.state, self.folder / "home", self.folder / "bin", self.folder / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
        with self.preparing():
            if not self.passphrase.exists() or not self.passphrase.stat().st_size:
                replace_file(self.passphrase, secrets.token_urlsafe(32), mode=0o600)
            self._write_shim()

    @contextmanager
    def preparing(self) -> Generator[None]:
        """Held while a command writes the files that every engine reads: two commands can start at the same time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "preparing"):
            yield

    def _write_shim(self) -> None:
        shim = self.folder / "bin" / "pulumi"
        command = shlex.join([sys.executable, "-m", "atwork.sandbox.shim", str(self.checkout)])
        text = f'#!/bin/sh\nexec {command} "$@"\n'
        if not shim.exists() or shim.read_text() != text:
            replace_file(shim, text, mode=0o755)

    def environment(self) -> dict[str, str]:
        """Environment variables with which an engine uses the sandbox."""
        return {
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.state}?metadata=skip",  # state_files.py says why
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        }

    @contextmanager
    def locked(self, command: str) -> Generator[None]:
        """Lock the sandbox for a command; `SandboxError` names the command that holds the lock."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "lock"
        lock = FileLock(path)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise SandboxError(f"{path}: {_holder(path.read_text())} is running; wait for it, or end it") from None
        try:
            since = datetime.now(UTC).strftime("%H:%M:%S UTC")
            path.write_text(json.dumps({"pid": os.getpid(), "command": command, "since": since}))
            yield
            path.write_text("")
        finally:
            lock.release()


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
        return f"`{holder['command']}` (pid {holder['pid']}, since {holder['since']})"
    except (json.JSONDecodeError, KeyError, TypeError):
        return "another command"


def here() -> Home:
    """The sandbox of the checkout that contains the working directory; `UsageError` outside a checkout."""
    return Home(find_checkout().root)
