"""Schemas of the kinds of Managed Prometheus, so that a real API server refuses what GKE's refuses.

Written from https://github.com/GoogleCloudPlatform/prometheus-engine/blob/main/doc/api.md; what services do not use is
left out, and is accepted unchecked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_DURATION = {"type": "string", "pattern": "^([0-9]+(ms|[smhdwy]))+$"}

_RULE = {
    "type": "object",
    "required": ["expr"],
    "properties": {
        "record": {"type": "string", "pattern": "^[a-zA-Z_:][a-zA-Z0-9_:]*$"},
        "alert": _TEXT,
        "expr": _TEXT,
        "for": _DURATION,
        "labels": _TEXTS,
        "annotations": _TEXTS,
    },
    "x-kubernetes-validations": [
        {
            "rule": "(has(self.record) ? 1 : 0) + (has(self.alert) ? 1 : 0) == 1",
            "message": "Must set exactly one of Record or Alert",
        },
        {
            "rule": "!has(self.annotations) || has(self.alert)",
            "message": "Annotations are only allowed for alerting rules",
        },
    ],
}
_GROUP = {
    "type": "object",
    "required": ["name", "rules"],
    "properties": {
        "name": _TEXT,
        "interval": _DURATION,
        # Google has no maxItems; without one, the cost of the rules above cannot be estimated.
        "rules": {"type": "array", "minItems": 1, "maxItems": 1000, "items": _RULE},
    },
}
_ENDPOINT = {
    "type": "object",
    "required": ["interval", "port"],
    "x-kubernetes-preserve-unknown-fields": True,
    "properties": {
        "port": {"x-kubernetes-int-or-string": True},
        "interval": _DURATION,
        "timeout": _DURATION,
        "path": _TEXT,
    },
}
_SELECTOR = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
    "properties": {"matchLabels": _TEXTS},
}

SPECS: Mapping[str, Mapping[str, Any]] = {
    "Rules": {
        "type": "object",
        "required": ["groups"],
        "properties": {"groups": {"type": "array", "maxItems": 100, "items": _GROUP}},
    },
    "PodMonitoring": {
        "type": "object",
        "required": ["selector", "endpoints"],
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": {"selector": _SELECTOR, "endpoints": {"type": "array", "minItems": 1, "items": _ENDPOINT}},
    },
}
"""Schemas of `spec` by kind."""
