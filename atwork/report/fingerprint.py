"""The fingerprint of a change: equal for equal changes, different for all others.

It covers the resources without their stack, steps, paths, new values (hashed; secret and unknown values as such),
guards, renames and names of outputs. An approval is for a fingerprint, and `atwork up --expect` makes no other change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from atwork.report.model import Change, Output


def of(stack: str, changes: Iterable[Change], outputs: Iterable[Output], exact: dict[str, str]) -> str:
    """64 hexadecimal digits; `exact` has a hash of all new inputs of each resource, by URN."""
    lines = sorted(
        json.dumps(
            [
                anywhere(change.urn, stack),
                change.kind,
                anywhere(change.renamed_from, stack),
                exact.get(change.urn, ""),
                sorted((item.path, item.replaces) for item in change.properties),
                sorted((item.name, item.old, item.new) for item in change.guards),
            ]
        )
        for change in changes
    )
    lines += sorted(json.dumps(["output", item.name, item.new]) for item in outputs)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def anywhere(urn: str, stack: str) -> str:
    """A URN without its stack, so that equal changes of two stacks are equal."""
    return urn.replace(f"urn:pulumi:{stack}::", "urn:pulumi:::", 1).replace(f"::atwork-{stack}", "::atwork-")


def value(content: object) -> str:
    """A hash of a redacted value."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
