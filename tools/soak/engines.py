"""Commands of the sandbox as processes, and how to wait for them, hold and kill them."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from atwork.engine.forked import PRELOADED, ForkedProcess, ForkServer
from atwork.sandbox.home import Home
from tools.soak import command

_TIMEOUT_SECONDS = 900.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Done:
    """The exit code and the output of a command."""

    code: int
    printed: str


class StillRunning(Exception):
    """A command or a process that it started does not end."""


@dataclass(frozen=True)
class Started:
    """A running command."""

    words: tuple[str, ...]
    process: ForkedProcess
    output: IO[str]

    def ended(self) -> Done:
        """Wait for the end of the command."""
        end = time.monotonic() + _TIMEOUT_SECONDS
        while (code := self.process.poll()) is None:
            if time.monotonic() > end:
                raise StillRunning(f"{' '.join(self.words)} still runs after {_TIMEOUT_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        self.output.seek(0)
        printed = self.output.read()
        self.output.close()
        return Done(code, printed)

    def tree(self) -> list[psutil.Process]:
        """The process of the command and all its descendants."""
        with suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        return []

    def engines(self) -> list[psutil.Process]:
        """The engines among these processes."""
        result: list[psutil.Process] = []
        for item in self.tree():
            with suppress(psutil.Error):
                if Path(item.exe()).name == "pulumi":
                    result.append(item)
        return result

    @contextmanager
    def held(self) -> Generator[bool]:
        """Suspend the engines, so that they keep their locks; false if no engine runs any more."""
        stopped: list[psutil.Process] = []
        for engine in self.engines():
            with suppress(psutil.NoSuchProcess):
                engine.suspend()
                stopped.append(engine)
        try:
            yield bool(stopped)
        finally:
            for engine in stopped:
                with suppress(psutil.NoSuchProcess):
                    engine.resume()

    def until(self, condition: Callable[[], bool]) -> bool:
        """Wait for a condition; false if the command ends first."""
        while self.process.poll() is None:
            if condition():
                return True
            time.sleep(_POLL_SECONDS)
        return False


class Engines:
    """Starts commands in a sandbox and lists the processes in it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        home.prepare()
        self._environment = {
            **os.environ,
            **home.environment(),
            "PATH": os.pathsep.join([str(home.folder / "bin"), os.environ["PATH"]]),
            "TMPDIR": str(home.checkout / "temporary"),
        }
        self._forks = ForkServer([*PRELOADED, *command.LIBRARIES], self._environment)

    def atwork(self, *words: str) -> Started:
        """Start `atwork …`."""
        return self._start(("atwork", *words), "atwork.cli", *words)

    def pulumi(self, *words: str) -> Started:
        """Start plain `pulumi …`, as after `eval "$(atwork sandbox env)"`."""
        return self._start(("pulumi", *words), "atwork.sandbox.shim", str(self._home.checkout), *words)

    def _start(self, words: tuple[str, ...], module: str, *arguments: str) -> Started:
        # The output is not a file of the sandbox; `Life.ended` searches it for secrets.
        output = tempfile.NamedTemporaryFile("w+")  # noqa: SIM115 (closed after the end of the command)
        process = self._forks.start(
            command.__file__, [output.name, module, *arguments], cwd=str(self._home.checkout), env=self._environment
        )
        return Started(words, process, output)

    def close(self) -> None:
        """End the process that starts commands."""
        self._forks.stop()

    def running(self) -> list[psutil.Process]:
        """Every running process that was started in the sandbox."""
        result: list[psutil.Process] = []
        for item in psutil.process_iter():
            with suppress(psutil.Error):
                inside = item.environ().get("PULUMI_HOME") == self._environment["PULUMI_HOME"]
                if inside and item.status() != psutil.STATUS_ZOMBIE and item.pid != self._forks.pid:
                    result.append(item)
        return result

    def settled(self, seconds: float = 300.0) -> list[str]:
        """Wait until no process runs; return those that still run after a time."""
        end = time.monotonic() + seconds
        while (left := self.running()) and time.monotonic() < end:
            time.sleep(0.1)
        return [f"{item.pid} {' '.join(item.cmdline())[:120]}" for item in left if item.is_running()]

    def objects(self) -> int:
        """The number of objects in the simulated cloud, read without the locks of the sandbox."""
        if not self._home.cloud.exists():
            return 0
        with closing(sqlite3.connect(f"file:{self._home.cloud}?mode=ro", uri=True)) as database:
            try:
                return database.execute("SELECT count(*) FROM objects").fetchone()[0]
            except sqlite3.OperationalError:
                return 0


def kill(processes: list[psutil.Process]) -> None:
    """Send SIGKILL to processes in order."""
    for item in processes:
        with suppress(psutil.NoSuchProcess):
            item.send_signal(signal.SIGKILL)
