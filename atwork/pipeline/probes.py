"""Probes of containers, as a kubelet asks them."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from atwork.containers import network
from atwork.containers.container import Container
from atwork.containers.errors import ContainerError


def succeeds(probe: Mapping[str, Any] | None, container: Container, ports: Mapping[str, int]) -> bool:
    """Whether a probe succeeds now; a container without one is ready. `ports` are the numbers of named ports."""
    if probe is None:
        return True
    if command := probe.get("exec"):
        return container.start(command["command"], output=subprocess.DEVNULL).wait() == 0
    try:
        if socket := probe.get("tcpSocket"):
            network.connect(container.inside.pid, _number(socket["port"], ports)).close()
            return True
        if request := probe.get("httpGet"):
            return _answers(container.inside.pid, _number(request["port"], ports), request.get("path", "/"))
    except (OSError, http.client.HTTPException):
        return False
    raise ContainerError(f"{container.name}: a probe of the kind {', '.join(probe)} is not played on this machine")


def _answers(pid: int, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.sock = network.connect(pid, port)
    try:
        connection.request("GET", path)
        return HTTPStatus.OK <= connection.getresponse().status < HTTPStatus.BAD_REQUEST
    finally:
        connection.close()


def _number(port: int | str, ports: Mapping[str, int]) -> int:
    return port if isinstance(port, int) else ports[port]
