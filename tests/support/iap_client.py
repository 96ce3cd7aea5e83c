"""Environments whose Identity-Aware Proxy has an OAuth client of its own, made from those of the repository."""

from __future__ import annotations

import json
from typing import Any

from infra.config import STACKS, read_file

ID = "482915370164-0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p.apps.googleusercontent.com"
CLIENT = {"id": ID, "secret": "iap-client-secret"}


def settings(stack: str = "staging", client: Any = CLIENT) -> dict[str, Any]:
    """The settings of a stack with an OAuth client."""
    document: dict[str, Any] = json.loads(read_file(STACKS / f"Pulumi.{stack}.yaml"))
    document["gateway"]["iap"] = {**document["gateway"]["iap"], "client": client}
    return document
