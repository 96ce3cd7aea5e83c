"""The engine's event log, read while it is written."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_POLL_SECONDS = 0.05


def follow(path: Path, child: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """Events as they are written, until the engine has ended and all are read."""
    rest = ""
    position = 0
    while True:
        ended = child.poll() is not None
        if path.exists():
            with path.open() as file:
                file.seek(position)
                rest += file.read()
                position = file.tell()
        *lines, rest = rest.split("\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)
        if ended:
            return
        time.sleep(_POLL_SECONDS)
