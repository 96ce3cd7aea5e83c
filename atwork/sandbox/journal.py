"""The changes that each process serving the providers was asked to make, so that a killed process loses nothing.

If the process is killed and the engine is not, the engine regards running calls as failed and drops them, although the
cloud may have made the changes. A process therefore records each change before it makes it, in a file that it removes
when it stops. Recovery reads the files of killed processes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import grpc
from filelock import FileLock, Timeout

from atwork.engine.urn import stack_of
from atwork.files import replace_file

_CHANGES = ("Create", "Update", "Delete")


@dataclass(frozen=True)
class UnfinishedCalls:
    """The file of a killed process, and the URNs that it was asked to change."""

    path: Path
    urns: frozenset[str]


class CallJournal(grpc.ServerInterceptor):
    """Records changes in a file for each stack; a lock on the file shows that the process runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, TextIO] = {}
        self._file_locks: list[FileLock] = []
        self._lock = threading.Lock()

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Record each change before it is made."""
        handler = continuation(handler_call_details)
        if handler_call_details.method.rpartition("/")[2] not in _CHANGES:
            return handler

        def recorded(request: Any, context: grpc.ServicerContext) -> Any:
            if not getattr(request, "preview", False):
                self.record(request.urn)
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(recorded, handler.request_deserializer, handler.response_serializer)

    def record(self, urn: str) -> None:
        """Write a URN; it survives a kill of this process."""
        stack = stack_of(urn)
        with self._lock:
            file = self._files.get(stack)
            if file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                path = self._folder / f"{stack}.{os.getpid()}.{id(self):x}"
                file_lock = FileLock(path, thread_local=False)
                file_lock.acquire()
                self._file_locks.append(file_lock)
                self._files[stack] = file = path.open("a")
            file.write(f"{urn}\n")
            file.flush()

    def close(self) -> None:
        """Remove the files: all calls were answered."""
        with self._lock:
            for file in self._files.values():
                Path(file.name).unlink(missing_ok=True)
                file.close()
            for file_lock in self._file_locks:
                file_lock.release()
            self._files.clear()
            self._file_locks.clear()


def remember(folder: Path, stack: str, urns: Iterable[str]) -> UnfinishedCalls:
    """Record URNs of a stack as those of a killed process, until the file is removed."""
    calls = UnfinishedCalls(folder / f"{stack}.recovery", frozenset(urns))
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(calls.path, "".join(f"{urn}\n" for urn in sorted(calls.urns)))
    return calls


def unfinished(folder: Path, stack: str) -> list[UnfinishedCalls]:
    """The calls of killed processes to change a stack."""
    calls: list[UnfinishedCalls] = []
    for path in sorted(folder.glob(f"{stack}.*")):
        try:
            with FileLock(path, timeout=0):
                *urns, _ = path.read_text().split("\n")  # the call of an incomplete last line was not made
        except Timeout:
            continue
        # A process that has just created an empty file may be about to lock it.
        if urns:
            calls.append(UnfinishedCalls(path, frozenset(urns)))
    return calls
