"""The commands `atwork` and `pulumi` in a checkout, each a process of its own, without a terminal."""

from __future__ import annotations

import subprocess
import sys

from atwork.sandbox.home import Home


def run(home: Home, *words: str) -> str:
    """Run a command of atwork that succeeds; returns its output."""
    done = atwork(home, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def atwork(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    return _run(home, sys.executable, "-c", "from atwork.cli import main; main()", *words)


def pulumi(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    """The plain command, as a person types it after `eval "$(atwork sandbox env)"`."""
    return _run(home, *_plain(home, *words))


def started(home: Home, *words: str) -> subprocess.Popen[str]:
    """The plain command while it runs."""
    return subprocess.Popen(
        _plain(home, *words),
        cwd=home.checkout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _plain(home: Home, *words: str) -> list[str]:
    exports = atwork(home, "sandbox", "env").stdout
    return ["sh", "-c", f'{exports}\nexec pulumi "$@"', "sh", *words]


def _run(home: Home, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=home.checkout, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
