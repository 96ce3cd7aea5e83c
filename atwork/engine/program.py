"""Runs a Pulumi program in its own process: `python program.py SETTINGS_JSON`.

It runs in the project's own environment, so it imports nothing of atwork.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import runpy
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
from pulumi import runtime
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import get_engine

SHOWN_ALREADY = 32
"""Exit code of a program whose error was already reported to the engine."""

DEBUG_MESSAGES = "ATWORK_SDK_DEBUG"
"""Environment variable that lets the SDK send its debug messages, for `pulumi --debug`."""

_LOOK_SECONDS = 0.5


def run(settings: dict[str, object]) -> int:
    """Run the program to the end of its last output; returns the exit code."""
    program, arguments = str(settings.pop("program")), settings.pop("args")
    parallel = max(int(str(settings["parallel"])), 1)
    runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    runtime.configure(runtime.Settings(**settings))  # pyright: ignore[reportArgumentType]  (checked by the engine)
    if DEBUG_MESSAGES not in os.environ:
        without_debug_messages(get_engine())
    sys.argv = [program, *(arguments if isinstance(arguments, list) else [])]
    # In place of this file's folder, whose modules must not shadow the program's.
    sys.path[0] = "."
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=min(parallel * 4, 64)))
    # A failed program leaves futures unobserved; asyncio's complaints about them would bury the real error.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        loop.run_until_complete(runtime.run_in_stack(lambda: _load(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except Exception:  # noqa: BLE001 (whatever the program raised is its user's to read)
        pulumi.log.error(f"the program failed:\n{traceback.format_exc()}")
    else:
        return 0
    finally:
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return SHOWN_ALREADY


def without_debug_messages(engine: Any) -> None:
    """Do not send debug messages: the SDK waits for the engine's answer to each, four times for each resource."""
    send = engine.Log

    def log(request: engine_pb2.LogRequest) -> None:
        if request.severity != engine_pb2.DEBUG:
            send(request)

    engine.Log = log


def _end_with(parent: int) -> None:
    """End when whoever started this is gone: a program that waits for a killed engine's answer would wait for ever."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(SHOWN_ALREADY)


def _load(program: str) -> None:
    # The SDKs' modules stay to the end; looking for garbage among them takes a quarter of the time to load them.
    gc.disable()
    try:
        runpy.run_path(program, run_name="__main__")
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    code = run(json.loads(sys.argv[1]))
    # Threads of the gRPC channels would keep the interpreter for another while.
    os._exit(code)
