"""A small server that answers as GitHub's API documents it: comments, statuses, checks, labels, events, roles, runs."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

BOT = "atwork-bot[bot]"


class Server:
    """Comments of pull requests and statuses of commits."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.checks: list[dict[str, Any]] = []
        self.longest = 65_536
        self.pulls: list[dict[str, Any]] = []
        self.files = ["infra/config.py"]
        self.moved: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        self.labels: set[str] = set()
        self.roles: dict[str, str] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.head, self.tip, self.author = "abc", "base", "ada"
        self.now = datetime(2026, 11, 25, 12, tzinfo=UTC)
        self.refuse: list[tuple[int, dict[str, str]]] = []
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

            def do_GET(self) -> None:
                outer.answer(self, None)

            do_DELETE = do_GET  # noqa: N815 (the server's name for it)

            def do_POST(self) -> None:
                outer.answer(self, self.body())

            def do_PATCH(self) -> None:
                outer.answer(self, self.body())

            def body(self) -> Any:
                return json.loads(self.rfile.read(int(self.headers["content-length"])))

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def answer(self, request: BaseHTTPRequestHandler, body: Any) -> None:
        self.asked.append(f"{request.command} {request.path}")
        if self.refuse:
            code, headers = self.refuse.pop(0)
            self.send(request, code, {"message": "no"}, headers)
            return
        if request.headers["Authorization"] != "Bearer right":
            self.send(request, 401, {"message": "Bad credentials"})
            return
        path = urlsplit(request.path)
        query = {key: value[0] for key, value in parse_qs(path.query).items()}
        asked = {key: int(value) for key, value in query.items() if value.isdecimal()}
        first = (asked.get("page", 1) - 1) * asked.get("per_page", 30)
        part = slice(first, first + asked.get("per_page", 30))
        if body and len(body.get("body", "")) > self.longest:
            self.send(request, 422, {"message": "Validation Failed"})
            return
        response = self.route(request.command, path.path.removeprefix("/repos/acme/platform"), body, query)
        if response is None or not path.path.startswith("/repos/acme/platform/"):
            self.send(request, 404, {"message": "Not Found"})
        else:
            headers = {}
            if isinstance(response[1], list) and len(response[1]) > part.stop:
                more = urlencode({**query, "page": asked.get("page", 1) + 1})
                headers["link"] = f'<{self.address}{path.path}?{more}>; rel="next"'
            self.send(
                request, response[0], response[1][part] if isinstance(response[1], list) else response[1], headers
            )

    def route(  # noqa: C901 (a table of routes)
        self, method: str, path: str, body: Any, query: dict[str, str]
    ) -> tuple[int, Any] | None:
        commit = path.rpartition("/")[2]
        match method, path.strip("/").split("/"):
            case "PATCH", ["issues", "comments", number]:
                comment = next(comment for comment in self.comments if str(comment["id"]) == number)
                comment["body"] = body["body"]
                return 200, comment
            case "GET", ["issues", "7", "comments"]:
                return 200, self.comments
            case "POST", ["issues", "7", "comments"]:
                return 201, self.add(BOT, body["body"])
            case "POST", ["statuses", _]:
                self.status(commit, body["context"], body["state"], body["description"])
                return 201, body
            case "GET", ["statuses", commit]:
                return 200, [status for status in self.statuses if status["commit"] == commit]
            case "POST", ["check-runs"] if any(len(text) > 65_535 for text in body["output"].values()):
                return 422, {"message": "Invalid request. Only 65535 characters are allowed"}
            case "POST", ["check-runs"]:
                return 201, self.check(body["head_sha"], body["name"], body["conclusion"], body["output"])
            case "GET", ["commits", commit, "check-runs"]:
                runs = [run for run in self.checks if (run["head_sha"], run["name"]) == (commit, query["check_name"])]
                latest = {run["app"]["slug"]: run for run in runs}
                return 200, {"total_count": len(latest), "check_runs": [*latest.values()]}
            case "GET", ["commits", "abc", "pulls"]:
                return 200, self.pulls
            case "GET", ["issues", "7", "labels"]:
                return 200, [{"name": label} for label in sorted(self.labels)]
            case "GET", ["issues", "7", "events"]:
                return 200, self.events
            case "DELETE", ["issues", "7", "labels", name]:
                self.labels.discard(unquote(name))
                return 200, []
            case "GET", ["collaborators", login, "permission"] if login in self.roles:
                return 200, {"permission": "write", "role_name": self.roles[login]}
            case "GET", ["pulls", "7"]:
                base = {"ref": "main", "sha": "base"}
                return 200, {"user": {"login": self.author}, "head": {"sha": self.head}, "base": base}
            case "GET", ["pulls", "7", "files"]:
                moved = [{"filename": new, "previous_filename": old} for new, old in self.moved.items()]
                return 200, [*({"filename": name} for name in self.files), *moved]
            case "GET", ["branches", "main"]:
                return 200, {"commit": {"sha": self.tip}}
            case "GET", ["actions", "runs", *rest] if "/".join(rest) in self.runs:
                return 200, self.runs["/".join(rest)]
            case _:
                return None

    def status(self, commit: str, context: str, state: str, text: str, login: str = BOT) -> None:
        """A status as the API returns it; each is a second later than what was before."""
        self.now += timedelta(seconds=1)
        self.statuses.insert(
            0,
            {
                "commit": commit,
                "context": context,
                "state": state,
                "description": text,
                "creator": {"login": login},
                "created_at": f"{self.now:%Y-%m-%dT%H:%M:%SZ}",
            },
        )

    def check(
        self, commit: str, name: str, conclusion: str, output: dict[str, str], login: str = BOT
    ) -> dict[str, Any]:
        """A check run as the API returns it."""
        run = {"id": len(self.checks) + 1, "head_sha": commit, "name": name, "conclusion": conclusion}
        self.checks.append(run | {"output": output, "app": {"slug": login.removesuffix("[bot]")}})
        return self.checks[-1]

    def label(self, name: str, login: str) -> None:
        """Somebody puts a label on the pull request."""
        self.now += timedelta(seconds=1)
        self.labels.add(name)
        at = f"{self.now:%Y-%m-%dT%H:%M:%SZ}"
        self.events.append({"event": "labeled", "label": {"name": name}, "actor": {"login": login}, "created_at": at})

    def add(self, login: str, text: str) -> dict[str, Any]:
        number = len(self.comments) + 1
        url = f"{self.address}/repos/acme/platform/issues/comments/{number}"
        user = {"login": login}
        self.comments.append({"id": number, "user": user, "body": text, "html_url": f"https://c/{number}", "url": url})
        return self.comments[-1]

    @staticmethod
    def send(request: BaseHTTPRequestHandler, code: int, content: Any, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(content).encode()
        request.send_response(code)
        for key, value in {**(headers or {}), "content-length": str(len(text))}.items():
            request.send_header(key, value)
        request.end_headers()
        request.wfile.write(text)
