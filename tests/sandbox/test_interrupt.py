"""Signals reach the engines once each, also those that start afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from atwork.sandbox.interrupt import Interrupt

_COUNTS = """
import signal, sys, time
heard = []
signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
print("ready", flush=True)
while not heard:
    time.sleep(0.01)
time.sleep(0.2)
sys.exit(len(heard))
"""


def child() -> subprocess.Popen[bytes]:
    started = subprocess.Popen([sys.executable, "-c", _COUNTS], stdout=subprocess.PIPE, process_group=0)
    assert started.stdout is not None
    started.stdout.readline()
    return started


def test_each_child_hears_one_signal_for_one_and_the_old_handlers_come_back() -> None:
    interrupt, before = Interrupt(), signal.getsignal(signal.SIGTERM)
    with interrupt.heard(), child() as first, child() as second:
        with interrupt.reaching(first), interrupt.reaching(second):
            os.kill(os.getpid(), signal.SIGTERM)
            assert (first.wait(), second.wait()) == (1, 1)
        with child() as late, interrupt.reaching(late):
            assert late.wait() == 1
    assert interrupt.count == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_who_is_done_is_told_nothing() -> None:
    interrupt = Interrupt()
    with interrupt.heard(), child() as ended:
        with interrupt.reaching(ended):
            ended.kill()
            ended.wait()
        os.kill(os.getpid(), signal.SIGTERM)  # SIGINT is ignored in the background of a shell
    assert interrupt.count == 1


def test_what_is_ignored_stays_ignored() -> None:
    interrupt, before = Interrupt(), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupt.heard():
            os.kill(os.getpid(), signal.SIGHUP)
        assert interrupt.count == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
