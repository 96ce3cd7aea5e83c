"""Environments whose gateway is internal, made from those of the repository."""

from __future__ import annotations

import json
from typing import Any

from infra.config import STACKS, parse, read_file
from infra.stack import StackConfig

PROXIES = "10.32.0.0/24"


def settings(stack: str = "staging", **gateway: Any) -> dict[str, Any]:
    """The settings of a stack with an internal gateway; `gateway` adds keys to its section."""
    document: dict[str, Any] = json.loads(read_file(STACKS / f"Pulumi.{stack}.yaml") or "")
    kept = {key: value for key, value in document["gateway"].items() if key not in ("iap", "waf")}
    document["gateway"] = {**kept, "internal": {}, **gateway}
    document["network"]["proxies"] = PROXIES
    if "jenkins" in document:
        document["jenkins"]["gateway"] = {"internal": True}
    return document


def config(stack: str = "staging", **gateway: Any) -> StackConfig:
    """The same, as the program reads them."""
    return parse(stack, json.dumps(settings(stack, **gateway)))
