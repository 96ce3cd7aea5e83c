"""Why a pod of a real cluster does not start: what the gate (atwork/sandbox/verify/gate.py) writes on it."""

from __future__ import annotations

from atwork.sandbox.clusters.api import Api

ADMITTED = "sandbox.atwork.dev/may-start"
"""Annotation of pods that kwok may start (stages.yaml)."""

BLOCKED = "sandbox.atwork.dev/blocked"
"""Annotation with the reasons why one may not."""


def reasons(api: Api, namespace: str) -> list[str]:
    """Every pod in a namespace that may not start, with its reasons; none for what is in no namespace."""
    if not namespace:
        return []
    pods = api.all(f"/api/v1/namespaces/{namespace}/pods")
    found = ((pod["metadata"]["name"], (pod["metadata"].get("annotations") or {}).get(BLOCKED)) for pod in pods)
    return [f"pod {name}: {why}" for name, why in found if why]
