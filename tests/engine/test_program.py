"""The process that runs a Pulumi program."""

from __future__ import annotations

import subprocess
import sys

import psutil

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
        program = psutil.Process(int(host.stdout.readline()))
        assert program.is_running()
        host.kill()
        # It would sleep for minutes: waiting this long and no longer is what is tested.
        assert psutil.wait_procs([program], timeout=600)[1] == []
