"""Signals reach the engines once each, also those that start afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from atwork.engine.signals import Signals

_COUNTS = """
import signal, sys
heard = []
signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
print("ready", flush=True)
sys.stdin.read()
sys.exit(len(heard))
"""


def child() -> subprocess.Popen[bytes]:
    """Counts the signals that came before its input ends."""
    started = subprocess.Popen(
        [sys.executable, "-c", _COUNTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
    )
    assert started.stdout is not None
    started.stdout.readline()
    return started


def heard_by(started: subprocess.Popen[bytes]) -> int:
    started.communicate()
    return started.returncode


def test_each_child_hears_one_signal_for_one_and_the_old_handlers_come_back() -> None:
    signals, before = Signals(), signal.getsignal(signal.SIGTERM)
    with signals.handled(), child() as first, child() as second:
        with signals.forwarded_to(first), signals.forwarded_to(second):
            os.kill(os.getpid(), signal.SIGTERM)
            assert (heard_by(first), heard_by(second)) == (1, 1)
        with child() as late, signals.forwarded_to(late):
            assert heard_by(late) == 1
    assert signals.count == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_who_is_done_is_told_nothing() -> None:
    signals = Signals()
    with signals.handled(), child() as ended:
        with signals.forwarded_to(ended):
            ended.kill()
            ended.wait()
        os.kill(os.getpid(), signal.SIGTERM)  # SIGINT is ignored in the background of a shell
    assert signals.count == 1


def test_what_is_ignored_stays_ignored() -> None:
    signals, before = Signals(), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.handled():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signals.count == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
