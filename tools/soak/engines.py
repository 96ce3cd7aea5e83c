"""Commands of the sandbox as processes of their own, and their violent ends."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from atwork.sandbox.home import Home

_LONGEST = 900.0
_POLL = 0.01


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    printed: str


class StillRunning(Exception):
    """A command, or what it left behind, does not end."""


@dataclass(frozen=True)
class Started:
    """A command that runs."""

    process: subprocess.Popen[bytes]
    output: IO[str]

    def ended(self) -> Done:
        """Wait for its end."""
        try:
            code = self.process.wait(_LONGEST)
        except subprocess.TimeoutExpired:
            raise StillRunning(f"{self.process.args} runs for {_LONGEST:.0f} s") from None
        self.output.seek(0)
        printed = self.output.read()
        self.output.close()
        return Done(code, printed)

    def tree(self) -> list[psutil.Process]:
        """The command and all below it."""
        with suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        return []

    def engines(self) -> list[psutil.Process]:
        """The engines among them."""
        result: list[psutil.Process] = []
        for item in self.tree():
            with suppress(psutil.Error):
                if Path(item.exe()).name == "pulumi":
                    result.append(item)
        return result

    @contextmanager
    def held(self) -> Generator[bool]:
        """Stop the engines for a while, so that they keep what they hold; false where there is none any more."""
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

    def until(self, moment: Callable[[], bool]) -> bool:
        """Wait for a moment; false where the command ended first."""
        while self.process.poll() is None:
            if moment():
                return True
            time.sleep(_POLL)
        return False


class Engines:
    """Starts commands in a sandbox and knows what runs in it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        home.prepare()
        self._environment = {
            **os.environ,
            **home.environment(),
            "PATH": os.pathsep.join([str(home.folder / "bin"), os.environ["PATH"]]),
            "TMPDIR": str(home.checkout / "temporary"),
        }

    def atwork(self, *words: str) -> Started:
        """Start `atwork …`."""
        return self._start([sys.executable, "-c", "from atwork.cli import main; main()", *words])

    def pulumi(self, *words: str) -> Started:
        """Start plain `pulumi …`, as after `eval "$(atwork sandbox env)"`."""
        return self._start([str(self._home.folder / "bin" / "pulumi"), *words])

    def _start(self, command: list[str]) -> Started:
        # The soak's own record of what was printed is no file of the sandbox; it is searched for secrets by itself.
        output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed when the command has ended)
        process = subprocess.Popen(
            command,
            cwd=self._home.checkout,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        return Started(process, output)

    def running(self) -> list[psutil.Process]:
        """Every process that was started in the sandbox and lives."""
        result: list[psutil.Process] = []
        for item in psutil.process_iter():
            with suppress(psutil.Error):
                inside = item.environ().get("PULUMI_HOME") == self._environment["PULUMI_HOME"]
                if inside and item.status() != psutil.STATUS_ZOMBIE:
                    result.append(item)
        return result

    def settled(self, seconds: float = 300.0) -> list[str]:
        """Wait until nothing runs any more; what still does after that time."""
        until = time.monotonic() + seconds
        while (left := self.running()) and time.monotonic() < until:
            time.sleep(0.1)
        return [f"{item.pid} {' '.join(item.cmdline())[:120]}" for item in left if item.is_running()]

    def objects(self) -> int:
        """Objects in the simulated cloud, without opening it as the sandbox does."""
        if not self._home.cloud.exists():
            return 0
        with closing(sqlite3.connect(f"file:{self._home.cloud}?mode=ro", uri=True)) as database:
            try:
                return database.execute("SELECT count(*) FROM objects").fetchone()[0]
            except sqlite3.OperationalError:
                return 0


def kill(processes: list[psutil.Process]) -> None:
    """`kill -9`, the first one first."""
    for item in processes:
        with suppress(psutil.NoSuchProcess):
            item.send_signal(signal.SIGKILL)
