"""The clusters of a sandbox: simulated, real, or external ones that already run (kind, minikube)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from atwork.errors import SandboxError, UsageError
from atwork.files import replace_file


class ClusterKind(StrEnum):
    """Whether clusters are simulated or have real API servers."""

    simulated = "simulated"
    real = "real"


@dataclass(frozen=True)
class Choice:
    """The choice that the first `up` saves: the kind of clusters stays the same until the sandbox is empty."""

    kind: ClusterKind = ClusterKind.simulated
    contexts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Context in the user's kubeconfig, for each environment with an external cluster."""

    @classmethod
    def kept(cls, folder: Path) -> Choice | None:
        """The saved choice in a sandbox's folder; None if there is none yet."""
        path = folder / "clusters.json"
        try:
            document = json.loads(path.read_text())
            return cls(ClusterKind(document["kind"]), dict(document["contexts"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise SandboxError(f"{path}: damaged ({error}); run `atwork sandbox reset` to start again") from None

    def keep(self, folder: Path, *, empty: bool) -> None:
        """Save the choice; `SandboxError` if it differs from the saved choice and the cloud is not empty."""
        before = Choice.kept(folder) or (self if empty else Choice())
        if before != self and not empty:
            raise SandboxError(
                f"the sandbox was brought up with {before.kind} clusters; run `atwork sandbox down` or `atwork sandbox "
                f"reset`, then `atwork sandbox up --clusters {self.kind}`"
            )
        text = json.dumps({"kind": self.kind, "contexts": dict(self.contexts)})
        replace_file(folder / "clusters.json", text)


def contexts_of(words: Sequence[str]) -> dict[str, str]:
    """Contexts by environment, from ENVIRONMENT=CONTEXT as given on the command line."""
    contexts: dict[str, str] = {}
    for word in words:
        environment, equals, context = word.partition("=")
        if not (equals and environment and context):
            raise UsageError(f"--context {word}: write ENVIRONMENT=CONTEXT, such as ci=kind-ci")
        contexts[environment] = context
    return contexts
