"""Destroys a stack completely, in an order that leaves no cloud resources of the cluster's controllers behind.

The steps, each of which can be broken off and done again:
mark      the backend notes that the stack is being destroyed
inside    load balancers, disks and namespaces inside the cluster: what it made of them in the cloud (forwarding rules,
          disks, endpoint groups) goes only while the cluster still runs
destroy   everything, the project last, for all else depends on it; one failure does not stop the rest
again     once, where something is left: what a dead cluster held is given up, because nobody can reach it
verify    the state is empty
forget    the stack goes from the backend
The files of the environment go afterwards. A failure ends it there and keeps the state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from atwork.engine.backend import Backend
from atwork.engine.outcome import Outcome
from atwork.engine.signals import Signals
from atwork.engine.stack import Options, Stack
from atwork.environments import stacks
from atwork.environments.derive import moment
from atwork.environments.destroy_journal import DestroyJournal
from atwork.errors import BackendError
from components.type_tokens import CLUSTER
from infra.stack_name import StackName

StepWatch = Callable[[str], None]
"""Called with the name of each resource whose step begins."""

MARK = "atwork:destroying"
"""Tag of a stack that is being destroyed."""

STEPS = ("mark", "inside", "destroy", "again", "verify", "forget")

_FIRST = (
    "kubernetes:core/v1:PersistentVolumeClaim",
    "kubernetes:core/v1:Namespace",
    "kubernetes:helm.sh/v3:Release",
)
_FIRST_ENDS = (":Ingress", ":Gateway")
_RELEASE = "kubernetes:helm.sh/v3:Release"
_UNREACHABLE = {"PULUMI_K8S_DELETE_UNREACHABLE": "true"}


class DestroyError(BackendError):
    """A step failed; the state is kept. One line for each error."""


def end(backend: Backend, name: str, journal: DestroyJournal, watch: StepWatch, signals: Signals) -> None:
    """Destroy a stack and remove it; `DestroyError` if a resource remains.

    The caller has recovered the stack and handles the signals; `KeyboardInterrupt` after one.
    """
    if name not in backend.stacks():
        return
    stack = backend.stack(name)
    options = Options(on_resource=lambda _outcome, resource: watch(resource), signals=signals)
    journal.write("mark")
    if MARK not in stack.tags():
        stack.set_tag(MARK, moment(datetime.now(UTC)))
    journal.write("inside")
    _inside(stack, options)
    signals.raise_if_received()
    journal.write("destroy")
    outcome = stack.destroy(patient=True, **options)
    signals.raise_if_received()
    if stacks.resources(backend, name):
        journal.write("again")
        outcome = _again(stack, options)
        signals.raise_if_received()
    journal.write("verify")
    left = stacks.resources(backend, name)
    if left:
        names = ", ".join(stacks.name(resource) for resource in left[:8]) + (" …" if len(left) > 8 else "")
        raise DestroyError(
            "\n".join([*outcome.error_lines, f"{len(left)} resources are left, and the state is kept: {names}"])
        )
    journal.write("forget")
    stack.remove()


def _inside(stack: Stack, options: Options) -> None:
    resources = stacks.resources(stack.backend, stack.name)
    urns = [str(resource["urn"]) for resource in resources if goes_first(resource)]
    if not urns:
        return
    outcome = stack.destroy(targets=urns, **options)
    if outcome.failed and not any("unreachable" in error for error in outcome.errors):
        raise DestroyError(
            "\n".join([*outcome.error_lines, "the cluster still holds something in the cloud; the state is kept"])
        )


def goes_first(resource: Mapping[str, Any]) -> bool:
    """Whether the cluster creates cloud resources for it, or for objects in it."""
    kind = str(resource["type"])
    if kind == "kubernetes:core/v1:Service":
        return ((resource.get("inputs") or {}).get("spec") or {}).get("type") == "LoadBalancer"
    return kind in _FIRST or (kind.startswith("kubernetes:") and kind.endswith(_FIRST_ENDS))


def _again(stack: Stack, options: Options) -> Outcome:
    """Remove a deleted cluster's objects from the state: they cannot be deleted, and a refresh keeps Helm releases."""
    options = {**options, "variables": _UNREACHABLE}
    stack.refresh(**options)
    environment = stacks.resources(stack.backend, StackName.parse(stack.name).environment)
    if not any(resource["type"] == CLUSTER for resource in environment):
        for resource in stacks.resources(stack.backend, stack.name):
            if resource["type"] == _RELEASE:
                stack.delete_from_state(str(resource["urn"]))
    return stack.destroy(patient=True, **options)
