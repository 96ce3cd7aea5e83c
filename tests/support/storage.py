"""A small server that answers as Cloud Storage's JSON API: objects of one bucket, in pages."""

from __future__ import annotations

import json
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Bucket:
    """The bucket `state`; `fail` has codes with which the next calls are answered."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.fail: list[int] = []
        self.page = 2
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

            def do_GET(self) -> None:
                outer.answer(self)

            def do_POST(self) -> None:
                outer.answer(self)

            def do_DELETE(self) -> None:
                outer.answer(self)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.http.server_port}"

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        code, content = (self.fail.pop(0), b"{}") if self.fail else self.response(request, body)
        request.send_response(code)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def response(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        path = urlsplit(request.path)
        asked = {key: value[0] for key, value in parse_qs(path.query).items()}
        plain = path.path.removeprefix("/download")
        name = unquote(plain.removeprefix("/storage/v1/b/state/o").removeprefix("/"))
        if path.path == "/upload/storage/v1/b/state/o":
            kind = request.headers["content-type"].encode()
            parts = [*message_from_bytes(b"content-type: " + kind + b"\r\n\r\n" + body).walk()][1:]
            metadata, content = (part.get_payload(decode=True) for part in parts)
            assert isinstance(metadata, bytes)
            assert isinstance(content, bytes)
            self.objects[json.loads(metadata)["name"]] = content
            return 200, b"{}"
        if not plain.startswith("/storage/v1/b/state/o"):
            return 404, b"{}"
        if not name:
            names = sorted(key for key in self.objects if key.startswith(asked["prefix"]))
            first = int(asked.get("pageToken", 0))
            listed: dict[str, Any] = {"items": [{"name": key} for key in names[first : first + self.page]]}
            if first + self.page < len(names):
                listed["nextPageToken"] = str(first + self.page)
            return 200, json.dumps(listed).encode()
        if name not in self.objects:
            return 404, b"{}"
        if request.command == "DELETE":
            del self.objects[name]
            return 204, b""
        return 200, self.objects[name]
