"""The stages of kwok, from stages.yaml: what it does with nodes and pods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from atwork.sandbox.clusters.blocked import ADMITTED, PLAYED

_FILE = Path(__file__).with_name("stages.yaml")
_STARTING = ("pod-ready", "pod-succeeded")
"""Stages that start a pod."""


def text(*, gated: bool) -> str:
    """The stages as YAML; if gated, pods start only with the gate's annotation (atwork/sandbox/verify/gate.py)."""
    if not gated:
        return _FILE.read_text()
    stages: list[dict[str, Any]] = list(yaml.safe_load_all(_FILE.read_text()))
    for stage in stages:
        if stage["metadata"]["name"] in _STARTING:
            admitted = {"key": f'.metadata.annotations["{ADMITTED}"]', "operator": "In", "values": [PLAYED]}
            stage["spec"]["selector"]["matchExpressions"].append(admitted)
    return yaml.safe_dump_all(stages, sort_keys=False)
