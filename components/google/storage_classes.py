"""Storage classes of GKE."""

from __future__ import annotations

from components.google import nearest

GKE = ("standard", "standard-rwo", "premium-rwo", "dynamic-rwo", "standard-rwx", "premium-rwx", "enterprise-rwx")
"""https://cloud.google.com/kubernetes-engine/docs/concepts/persistent-volumes"""


def known(name: str) -> str:
    """The class; `ValueError` for a misspelling of one of GKE's, whose volume would wait for ever."""
    if near := nearest.misspelled(name, GKE, edits=1):
        raise ValueError(f"GKE has no storage class {name}; did you mean {' or '.join(near)}?")
    return name
