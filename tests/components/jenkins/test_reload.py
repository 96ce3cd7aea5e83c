"""The script that asks Jenkins to load its configuration again, as the reloader runs it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from components.jenkins import reload


class Jenkins(HTTPServer):
    """A controller that answers with these statuses in turn."""

    def __init__(self, statuses: list[int]) -> None:
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.asked.append(self.path)
                self.send_response(statuses.pop(0))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
                """Nothing to read."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def jenkins(request: pytest.FixtureRequest) -> Iterator[Jenkins]:
    server = Jenkins(list(request.param))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(folder: Path, jenkins: Jenkins, **variables: str) -> subprocess.CompletedProcess[str]:
    [text] = reload.objects()["reload-script"]["data"].values()
    text = text.replace("localhost:8080", f"127.0.0.1:{jenkins.server_port}").replace("sleep(5)", "sleep(0)")
    (folder / "reload.sh").write_text(text.replace("exec python ", "exec python3 "))
    environment = {"PATH": "/usr/bin:/bin", "RELOAD_TOKEN": "secret", **variables}
    command = ["sh", str(folder / "reload.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("jenkins", [[503, 200]], indirect=True)
def test_it_asks_with_the_token_until_jenkins_answers(jenkins: Jenkins, tmp_path: Path) -> None:
    done = run(tmp_path, jenkins)
    assert (done.returncode, done.stderr) == (0, "")
    assert jenkins.asked == ["/reload-configuration-as-code/?casc-reload-token=secret"] * 2


@pytest.mark.parametrize("jenkins", [[401]], indirect=True)
def test_a_refusal_is_an_error(jenkins: Jenkins, tmp_path: Path) -> None:
    done = run(tmp_path, jenkins)
    assert (done.returncode, done.stderr) == (1, "Jenkins does not reload: HTTP 401\n")


@pytest.mark.parametrize("jenkins", [[]], indirect=True)
def test_the_init_container_does_not_wait_for_jenkins(jenkins: Jenkins, tmp_path: Path) -> None:
    assert run(tmp_path, jenkins, METHOD="LIST").returncode == 0
    assert jenkins.asked == []
