"""Which clusters a sandbox has: simulated ones, real ones of its own, or such as somebody runs already."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from atwork.errors import SandboxError, UsageError
from atwork.files import replace_file


class Kind(StrEnum):
    """What answers for Kubernetes."""

    simulated = "simulated"
    real = "real"


@dataclass(frozen=True)
class Choice:
    """Kept in the sandbox from its first `up` on: clusters do not change their kind while something is in them."""

    kind: Kind = Kind.simulated
    contexts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Context of the person's own kubeconfig, for each environment whose cluster runs elsewhere (kind, minikube)."""

    @classmethod
    def kept(cls, folder: Path) -> Choice | None:
        """The choice that a sandbox's folder keeps; None where nothing was chosen yet."""
        path = folder / "clusters.json"
        try:
            found = json.loads(path.read_text())
            return cls(Kind(found["kind"]), dict(found["contexts"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise SandboxError(f"{path}: damaged ({error}); `atwork sandbox reset` starts the sandbox anew") from None

    def keep(self, folder: Path, *, empty: bool) -> None:
        """Keep the choice; `SandboxError` where another one was made and the cloud is not empty."""
        before = Choice.kept(folder) or (self if empty else Choice())
        if before != self and not empty:
            raise SandboxError(
                f"the sandbox was brought up with {before.kind} clusters; `atwork sandbox down` or `atwork sandbox "
                f"reset` first, then `atwork sandbox up --clusters {self.kind}`"
            )
        text = json.dumps({"kind": self.kind, "contexts": dict(self.contexts)})
        replace_file(folder / "clusters.json", text)


def contexts_of(words: Sequence[str]) -> dict[str, str]:
    """ENVIRONMENT=CONTEXT as given on the command line."""
    found: dict[str, str] = {}
    for word in words:
        environment, equals, context = word.partition("=")
        if not (equals and environment and context):
            raise UsageError(f"--context {word}: write ENVIRONMENT=CONTEXT, such as ci=kind-ci")
        found[environment] = context
    return found
