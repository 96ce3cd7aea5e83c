"""What each process that serves the providers is asked to change, so that nothing is lost when it is killed.

An engine that outlives its providers hears no answer to what was under way: it takes that for failed and forgets it,
while the cloud may have done it. A process therefore notes each change before it makes it, in a file that is removed
when the process ends in order. What a dead process left is what the next recovery has to look at.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import grpc
from filelock import FileLock, Timeout

_CHANGES = ("Create", "Update", "Delete")


@dataclass(frozen=True)
class Unfinished:
    """The notes of a process that is gone: the URNs that it was asked to change."""

    path: Path
    urns: frozenset[str]


class Journal(grpc.ServerInterceptor):
    """Notes changes, one file for each stack; a lock on the file tells the living from the dead."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, TextIO] = {}
        self._locks: list[FileLock] = []
        self._guard = threading.Lock()

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Put a note before each change."""
        handler = continuation(handler_call_details)
        if handler_call_details.method.rpartition("/")[2] not in _CHANGES:
            return handler

        def around(request: Any, context: grpc.ServicerContext) -> Any:
            if not getattr(request, "preview", False):
                self.note(request.urn)
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(around, handler.request_deserializer, handler.response_serializer)

    def note(self, urn: str) -> None:
        """Keep a URN; a kill of this process loses nothing that was written."""
        stack = urn.split(":")[2]
        with self._guard:
            file = self._files.get(stack)
            if file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                path = self._folder / f"{stack}.{os.getpid()}.{id(self):x}"
                lock = FileLock(path, thread_local=False)
                lock.acquire()
                self._locks.append(lock)
                self._files[stack] = file = path.open("a")
            file.write(f"{urn}\n")
            file.flush()

    def close(self) -> None:
        """All was answered: nothing is left to look at."""
        with self._guard:
            for file in self._files.values():
                Path(file.name).unlink(missing_ok=True)
                file.close()
            for lock in self._locks:
                lock.release()
            self._files.clear()
            self._locks.clear()


def unfinished(folder: Path, stack: str) -> list[Unfinished]:
    """What processes that are gone left of a stack."""
    found: list[Unfinished] = []
    for path in sorted(folder.glob(f"{stack}.*")):
        try:
            with FileLock(path, timeout=0):
                # A last line that was cut off was not asked for yet.
                *urns, _ = path.read_text().split("\n")
        except Timeout:
            continue
        # One without a line may be somebody's who has just opened it, and is about to take its lock.
        if urns:
            found.append(Unfinished(path, frozenset(urns)))
    return found
