"""The message in Slack: short, calling nobody, without the webhook's address in an error."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from support.events import BUCKET, SQL, error, report, step

from atwork.report.slack import SlackError, message, send

CHANGE = report(step("update", BUCKET, "b", {"a": 1}, {"a": 2}))
DANGER = report(step("delete", SQL, "main", {"a": 1}, stack="production"), stack="production")


def texts(made: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in made["blocks"]]


def test_it_has_the_table_and_what_needs_a_decision() -> None:
    made = message("Drift", [CHANGE, DANGER], link="https://run/1")
    assert made["text"] == "Drift: production needs a decision"
    head, table, told, link = texts(made)
    assert head == "*Drift: production needs a decision*"
    assert [line.split() for line in table.strip("`").splitlines()][1] == ["ci", "changes", ".", "1", ".", ".", "."]
    assert told == "• production DatabaseInstance main: would be deleted; it holds data"
    assert link == "<https://run/1|full report>"


def test_it_is_as_short_as_slack_wants_and_calls_nobody() -> None:
    reports = [
        report(*(error(f"<!channel> {'x' * 390} {n}") for n in range(10)), code=1, stack=f"s{s}") for s in range(9)
    ]
    found = texts(message("Drift", reports))
    assert all(len(one) <= 3000 for one in found)
    assert "and 8" in found[2]
    assert "<!channel>" not in "".join(found)


class _Handler(BaseHTTPRequestHandler):
    code = 200

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.code)
        self.send_header("content-length", "0")
        self.end_headers()


@pytest.mark.parametrize(
    ("code", "told"), [(200, ""), (404, "Slack answered 404; check that SLACK_WEBHOOK_URL is the URL of a webhook")]
)
def test_a_refusal_does_not_show_the_address(code: int, told: str) -> None:
    handler = type("Handler", (_Handler,), {"code": code})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        if told:
            with pytest.raises(SlackError, match=told) as caught:
                send(f"http://127.0.0.1:{server.server_port}/services/SECRET", "Drift", [CHANGE])
            assert "SECRET" not in str(caught.value)
        else:
            send(f"http://127.0.0.1:{server.server_port}/services/SECRET", "Drift", [CHANGE])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_nobody_there_is_an_error_without_the_address() -> None:
    with pytest.raises(SlackError, match="Slack is not reachable: ConnectError") as caught:
        send("http://127.0.0.1:9/services/SECRET", "Drift", [CHANGE])
    assert "SECRET" not in str(caught.value)
