"""Metrics of HTTP requests, which the platform collects: its objectives (`slo` in the service's file) read them."""

from __future__ import annotations

import time

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("http_requests", "Requests by method and status.", ["method", "code"])
DURATION = Histogram(
    "http_request_duration_seconds",
    "Seconds until the response is sent.",
    # `slo.latency.under` names one of these.
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 5, 10),
)

_PROBES = ("/healthz", "/readyz")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Measured:
    """Counts the requests of an application, but not those of probes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; one that raises an error counts as 500."""
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        code, started = 500, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            # Callers choose the method: each value is a series.
            method = scope["method"] if scope["method"] in _METHODS else "other"
            REQUESTS.labels(method, str(code)).inc()
            DURATION.observe(time.perf_counter() - started)
