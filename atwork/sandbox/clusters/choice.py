"""The clusters of a sandbox: simulated, real, or external ones that already run (kind, minikube); and their nodes."""

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


class NodeKind(StrEnum):
    """Whether kwok plays all nodes of real clusters, or each has one more node that runs the pods of services."""

    simulated = "simulated"
    real = "real"


@dataclass(frozen=True)
class Choice:
    """The choice that the first `up` saves: clusters and nodes stay of the same kind until the sandbox is empty."""

    kind: ClusterKind = ClusterKind.simulated
    contexts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Context in the user's kubeconfig, for each environment with an external cluster."""
    nodes: NodeKind = NodeKind.simulated

    @classmethod
    def kept(cls, folder: Path) -> Choice | None:
        """The saved choice in a sandbox's folder; None if there is none yet."""
        path = folder / "clusters.json"
        try:
            document = json.loads(path.read_text())
            nodes = NodeKind(document.get("nodes", NodeKind.simulated))
            return cls(ClusterKind(document["kind"]), dict(document["contexts"]), nodes)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise SandboxError(f"{path}: damaged ({error}); run `atwork sandbox reset` to start again") from None

    def keep(self, folder: Path, *, empty: bool) -> None:
        """Save the choice; `SandboxError` if it differs from the saved choice and the cloud is not empty."""
        before = Choice.kept(folder) or (self if empty else Choice())
        if before != self and not empty:
            raise SandboxError(
                f"the sandbox was brought up with {before}; run `atwork sandbox down` or `atwork sandbox reset`, then "
                f"`atwork sandbox up {self._options}`"
            )
        text = json.dumps({"kind": self.kind, "contexts": dict(self.contexts), "nodes": self.nodes})
        replace_file(folder / "clusters.json", text)

    def __str__(self) -> str:
        """The kinds, for a message."""
        return f"{self.kind} clusters" + (f" and {self.nodes} nodes" if self.kind == ClusterKind.real else "")

    @property
    def _options(self) -> str:
        nodes = f" --nodes {self.nodes}" if self.kind == ClusterKind.real else ""
        return f"--clusters {self.kind}{nodes}"


def choose(
    kept: Choice | None, clusters: ClusterKind | None, contexts: Mapping[str, str], nodes: NodeKind | None
) -> Choice:
    """The choice of a command's options, each of which can be left out; `UsageError` if they contradict each other."""
    before = kept or Choice()
    if clusters is None and not contexts:
        clusters, contexts = before.kind, before.contexts
        if nodes == NodeKind.real and kept is None:
            clusters = ClusterKind.real
    kind = clusters or ClusterKind.real
    if nodes == NodeKind.real and kind == ClusterKind.simulated:
        raise UsageError("--nodes real: nodes need real clusters; add `--clusters real` to an empty sandbox")
    if nodes is None:
        nodes = before.nodes if kind == before.kind else NodeKind.simulated
    return Choice(kind, contexts, nodes)


def contexts_of(words: Sequence[str]) -> dict[str, str]:
    """Contexts by environment, from ENVIRONMENT=CONTEXT as given on the command line."""
    contexts: dict[str, str] = {}
    for word in words:
        environment, equals, context = word.partition("=")
        if not (equals and environment and context):
            raise UsageError(f"--context {word}: write ENVIRONMENT=CONTEXT, such as ci=kind-ci")
        contexts[environment] = context
    return contexts
