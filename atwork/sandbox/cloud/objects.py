"""Objects of the simulated cloud, and its errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from atwork.errors import SandboxError

RESET = "`atwork sandbox reset` throws the simulated cloud away"
"""Advice in the errors of a damaged cloud."""


class CloudCorrupt(SandboxError):
    """The file is not a cloud of the sandbox, or it is damaged; the message names it and the fix."""


class AlreadyExists(Exception):
    """Another object has that identity."""


@dataclass(frozen=True)
class CloudObject:
    """An object; `scope` is "" for Google Cloud and the URL of the API server for Kubernetes."""

    scope: str
    type: str
    id: str
    urn: str
    """"" for an object that belongs to no stack."""
    inputs: dict[str, Any]
    outputs: dict[str, Any]
