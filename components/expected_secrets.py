"""What an environment expects in Secret Manager, as data for the program, bootstrap, doctor and the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ExpectedSecret:
    """One secret of the environment's project whose latest version must be enabled before its readers start."""

    name: str
    """Id in Secret Manager."""

    purpose: str
    """What the value is, for whoever has to add it."""

    namespace: str | None
    """Kubernetes namespace of its readers; None if several namespaces have some."""

    accounts: tuple[str, ...]
    """Kubernetes service accounts that read it."""

    made_by: Literal["bootstrap", "program"] = "program"
    """Who makes the secret itself: bootstrap also adds its first value, the program makes it empty."""

    value: Literal["text", "private key", "generated"] = "text"
    """A text or a PEM key that a person has, or a password that bootstrap makes at random."""

    def resource(self, project: str) -> str:
        """Its resource name."""
        return f"projects/{project}/secrets/{self.name}"
