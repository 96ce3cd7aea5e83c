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


def texts(body: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in body["blocks"]]


def test_it_has_the_table_and_what_needs_a_decision() -> None:
    body = message("Drift", [CHANGE, DANGER], link="https://run/1")
    assert body["text"] == "Drift: production needs a decision"
    head, table, decision, link = texts(body)
    assert head == "*Drift: production needs a decision*"
    assert [line.split() for line in table.strip("`").splitlines()][1] == ["ci", "changes", ".", "1", ".", ".", "."]
    assert decision == "• production DatabaseInstance main: would be deleted; it holds data"
    assert link == "<https://run/1|full report>"


def test_it_is_as_short_as_slack_wants_and_calls_nobody() -> None:
    reports = [
        report(*(error(f"<!channel> {'x' * 390} {n}") for n in range(10)), code=1, stack=f"s{s}") for s in range(9)
    ]
    result = texts(message("Drift", reports))
    assert all(len(item) <= 3000 for item in result)
    assert "and 8" in result[2]
    assert "<!channel>" not in "".join(result)


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
    ("code", "hint"), [(200, ""), (404, "Slack answered 404; check that SLACK_WEBHOOK_URL is the URL of a webhook")]
)
def test_a_refusal_does_not_show_the_address(code: int, hint: str) -> None:
    handler = type("Handler", (_Handler,), {"code": code})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        if hint:
            with pytest.raises(SlackError, match=hint) as caught:
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
