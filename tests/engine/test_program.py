"""The process that runs a Pulumi program."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import psutil
from pulumi.runtime.proto import engine_pb2

from atwork.engine import program

_PROGRAM = """
import os, threading, time
from atwork.engine import program
threading.Thread(target=program._end_with, args=(os.getppid(),), daemon=True).start()
print(os.getpid(), flush=True)
time.sleep(3000)
"""
_HOST = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_PROGRAM!r}], check=False)"


def test_a_program_ends_when_the_host_that_started_it_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _HOST], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        running = psutil.Process(int(host.stdout.readline()))
        assert running.is_running()
        host.kill()
        # It would sleep for minutes: waiting this long and no longer is what is tested.
        assert psutil.wait_procs([running], timeout=600)[1] == []


def test_debug_messages_are_not_sent_and_other_messages_are() -> None:
    sent: list[int] = []
    engine = SimpleNamespace(Log=lambda request: sent.append(request.severity))
    program.without_debug_messages(engine)
    for severity in (engine_pb2.DEBUG, engine_pb2.INFO, engine_pb2.WARNING, engine_pb2.ERROR):
        engine.Log(engine_pb2.LogRequest(severity=severity))
    assert sent == [engine_pb2.INFO, engine_pb2.WARNING, engine_pb2.ERROR]
