"""The stages that kwok plays, from stages.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from atwork.sandbox.clusters.blocked import ADMITTED

_FILE = Path(__file__).with_name("stages.yaml")
_STARTS = ("pod-ready", "pod-succeeded")
"""Stages by which a pod starts."""


def text(*, gated: bool) -> str:
    """The stages as YAML; gated, pods start only with the annotation of the gate (atwork/sandbox/verify/gate.py)."""
    if not gated:
        return _FILE.read_text()
    stages: list[dict[str, Any]] = list(yaml.safe_load_all(_FILE.read_text()))
    for stage in stages:
        if stage["metadata"]["name"] in _STARTS:
            admitted = {"key": f'.metadata.annotations["{ADMITTED}"]', "operator": "Exists"}
            stage["spec"]["selector"]["matchExpressions"].append(admitted)
    return yaml.safe_dump_all(stages, sort_keys=False)
