"""The Python interpreter of a project, and the packages in its environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import language_pb2

from atwork.engine import installed


def interpreter_of(info: language_pb2.ProgramInfo) -> str:
    """The interpreter of the project's `virtualenv` option, otherwise the one that runs the language host."""
    options: Mapping[str, Any] = MessageToDict(info.options)
    virtualenv = options.get("virtualenv")
    if not virtualenv:
        return sys.executable
    folder = Path(info.root_directory, str(virtualenv))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return str(python)


def missing(python: str) -> str:
    """The error for an interpreter that does not exist."""
    return f"there is no {python}; make it with `make setup`, or correct runtime.options.virtualenv in Pulumi.yaml"


def packages_of(python: str, context: grpc.ServicerContext) -> dict[str, list[dict[str, str]]]:
    """The `plugins` and `packages` of an interpreter's environment; aborts the call if it does not run.

    The engine asks often; the environment of this process is read without another process.
    """
    if python == sys.executable:
        return installed.read()
    try:
        # By its file: the project's environment need not have atwork in it.
        done = subprocess.run([python, str(installed.__file__)], capture_output=True, text=True, check=False)
    except OSError:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, missing(python))
    if done.returncode:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{python} does not run: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)
