"""Annotations of the gate (atwork/sandbox/verify/gate.py): whether a pod of a real cluster may start, and why not."""

from __future__ import annotations

from atwork.sandbox.clusters.api import Api

ADMITTED = "sandbox.atwork.dev/may-start"
"""Annotation of pods that may start; its value says who starts them."""

PLAYED = "true"
"""kwok reports that their containers run (stages.yaml)."""

CONTAINERS = "containers"
"""A command runs their containers (claims.py)."""

ADMISSION = "sandbox.atwork.dev/admission"
"""Scheduling gate of pods for a real node. The gate removes it when Binary Authorization admits their images."""

BLOCKED = "sandbox.atwork.dev/blocked"
"""Annotation of pods that may not start, with the reasons."""


def reasons(api: Api, namespace: str) -> list[str]:
    """Each pod in a namespace that may not start, with the reasons; empty without a namespace."""
    if not namespace:
        return []
    pods = api.all(f"/api/v1/namespaces/{namespace}/pods")
    metadata = [pod["metadata"] for pod in pods]
    blocked = [(each["name"], (each.get("annotations") or {}).get(BLOCKED)) for each in metadata]
    return [f"pod {name}: {why}" for name, why in blocked if why]
