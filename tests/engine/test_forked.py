"""Programs as forks of a process that has imported the SDKs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from atwork.engine.forked import POSSIBLE, ForkedProcess, ForkServer

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="programs are forked on Linux only")


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    started = ForkServer()
    yield started
    started.stop()


def start(server: ForkServer, folder: Path, text: str, *arguments: str, **more: str) -> ForkedProcess:
    script = folder / "script.py"
    script.write_text(text)
    environment: Mapping[str, str] = {"PATH": os.environ["PATH"], **more}
    return server.start(str(script), arguments, cwd=str(folder), env=environment)


def ended(child: ForkedProcess) -> tuple[int, str, str]:
    with child.stdout, child.stderr:
        return child.wait(), child.stdout.read().decode(), child.stderr.read().decode()


def test_a_fork_has_the_arguments_folder_and_environment_of_its_request(server: ForkServer, tmp_path: Path) -> None:
    text = "import os, sys; print(sys.argv[1:], os.getcwd(), sorted(os.environ)); print(sys.stdin.read(), end='')"
    code, output, errors = ended(start(server, tmp_path, text, "a", "b", ONLY_HERE="x"))
    assert (code, errors) == (0, "")
    assert output == f"['a', 'b'] {tmp_path} ['ONLY_HERE', 'PATH']\n"


@pytest.mark.parametrize(
    ("text", "code", "error"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit('no stack')", 1, "no stack\n"),
        ("raise ValueError('wrong')", 1, "ValueError: wrong\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
    ],
)
def test_the_end_is_that_of_an_interpreter(
    server: ForkServer, tmp_path: Path, text: str, code: int, error: str
) -> None:
    actual, output, errors = ended(start(server, tmp_path, text))
    assert (actual, output) == (code, "")
    assert errors.endswith(error)


def test_the_sdks_are_imported_before_the_program_and_the_project_is_not(server: ForkServer, tmp_path: Path) -> None:
    names = ("pulumi_gcp.compute", "infra", "atwork")
    text = f"import sys; print([type(sys.modules.get(name)).__name__ for name in {names}])"
    # Not `_LazyModule`, which is loaded on first use.
    assert ended(start(server, tmp_path, text))[1] == "['module', 'NoneType', 'NoneType']\n"


def test_programs_do_not_see_each_other(server: ForkServer, tmp_path: Path) -> None:
    text = "import pulumi, os; print(hasattr(pulumi, 'mark'), len(os.listdir('/proc/self/fd'))); pulumi.mark = 1"
    first, second = ended(start(server, tmp_path, text)), ended(start(server, tmp_path, text))
    assert first == second == (0, "False 4\n", ""), "three streams, and the list of the descriptors"


def test_a_running_fork_is_terminated_or_killed(server: ForkServer, tmp_path: Path) -> None:
    text = "import time; print('runs', flush=True); time.sleep(3000)"
    for end, code in ((ForkedProcess.terminate, -15), (ForkedProcess.kill, -9)):
        child = start(server, tmp_path, text)
        assert child.stdout.readline() == b"runs\n"
        assert child.poll() is None
        end(child)
        assert ended(child)[0] == code
        end(child)  # not sent to whoever has the process ID by then


def test_nothing_is_left_when_the_process_that_started_the_server_is_killed(tmp_path: Path) -> None:
    (tmp_path / "sleep.py").write_text(
        "import os, time; print(os.getpid(), os.getppid(), flush=True); time.sleep(3000)"
    )
    text = (
        "import os, sys, time\nfrom atwork.engine.forked import SERVER\n"
        f"child = SERVER.start({str(tmp_path / 'sleep.py')!r}, [], cwd='.', env=dict(os.environ))\n"
        "print(child.stdout.readline().decode(), flush=True)\ntime.sleep(3000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        processes = [psutil.Process(int(number)) for number in host.stdout.readline().split()]
        assert len(processes) == 2
        host.kill()
        # They would sleep for an hour: waiting this long and no longer is what is tested.
        assert psutil.wait_procs(processes, timeout=600)[1] == []


def test_a_prepared_server_runs_the_first_program(tmp_path: Path) -> None:
    server = ForkServer(["json"])
    server.prepare()
    prepared = server.pid
    try:
        assert ended(start(server, tmp_path, "import os; print(os.getppid())")) == (0, f"{prepared}\n", "")
    finally:
        server.stop()


def test_a_prepared_server_that_runs_no_program_does_not_end_its_imports(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text("import time\ntime.sleep(3000)\n")
    server = ForkServer(["endless"], {**os.environ, "PYTHONPATH": str(tmp_path)})
    server.prepare()
    assert server.pid is not None
    process = psutil.Process(server.pid)
    server.stop()
    assert not process.is_running()


def test_a_server_that_was_killed_is_started_again(tmp_path: Path) -> None:
    server = ForkServer()
    try:
        child = start(server, tmp_path, "import os, time; print(os.getppid(), flush=True); time.sleep(3000)")
        psutil.Process(int(child.stdout.readline())).kill()
        # The program watches for the end of its parent itself (program.py); this one does not.
        psutil.Process(child.pid).kill()
        assert ended(child)[0] == -9
        assert ended(start(server, tmp_path, "print('again')")) == (0, "again\n", "")
    finally:
        server.stop()
