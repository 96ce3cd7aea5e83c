"""Ends an environment whole, in an order in which nothing is left behind that only the cluster knew of.

The steps, each of which can be broken off and done again:
mark      the backend notes that the stack is being destroyed
inside    load balancers, disks and namespaces inside the cluster: what it made of them in the cloud (forwarding rules,
          disks, endpoint groups) goes only while the cluster still runs
destroy   everything, the project last, for all else depends on it; one failure does not stop the rest
again     once, where something is left: what a dead cluster held is given up, for nobody can reach it
verify    the state is empty
forget    the stack goes from the backend
The files of the environment go afterwards. A failure ends it there and keeps the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from atwork.environments import stacks
from atwork.environments.derive import moment
from atwork.environments.journal import Journal
from atwork.environments.stacks import Outcome, Watch
from atwork.errors import BackendError
from atwork.report.run import Place

MARK = "atwork:destroying"
"""Tag of a stack that is on its way out."""

STEPS = ("mark", "inside", "destroy", "again", "verify", "forget")

_FIRST = (
    "kubernetes:core/v1:PersistentVolumeClaim",
    "kubernetes:core/v1:Namespace",
    "kubernetes:helm.sh/v3:Release",
)
_FIRST_ENDS = (":Ingress", ":Gateway")
_RELEASE = "kubernetes:helm.sh/v3:Release"
_CLUSTER = "gcp:container/cluster:Cluster"
_UNREACHABLE = {"PULUMI_K8S_DELETE_UNREACHABLE": "true"}


class NotEnded(BackendError):
    """A step failed; the state is kept. One line for each thing that went wrong."""


def end(place: Place, name: str, journal: Journal, watch: Watch) -> None:
    """Destroy a stack and forget it; `NotEnded` where it could not be done whole."""
    place.recover(name)
    if name not in stacks.listed(place):
        return
    journal.write("mark")
    if MARK not in stacks.tags(place, name):
        stacks.tag(place, name, MARK, moment(datetime.now(UTC)))
    journal.write("inside")
    _inside(place, name, watch)
    journal.write("destroy")
    outcome = _destroy(place, name, watch)
    if stacks.resources(place, name):
        journal.write("again")
        outcome = _again(place, name, watch)
    journal.write("verify")
    left = stacks.resources(place, name)
    if left:
        names = ", ".join(stacks.name(one) for one in left[:8]) + (" …" if len(left) > 8 else "")
        raise NotEnded("\n".join([*outcome.errors, f"{len(left)} resources are left, and the state is kept: {names}"]))
    journal.write("forget")
    stacks.forget(place, name)


def _inside(place: Place, name: str, watch: Watch) -> None:
    urns = [str(one["urn"]) for one in stacks.resources(place, name) if goes_first(one)]
    if not urns:
        return
    targets = [word for urn in urns for word in ("--target", urn)]
    outcome = stacks.operate(place, ("destroy", "--stack", name, *targets, "--target-dependents"), watch)
    if outcome.code and not any("unreachable" in error for error in outcome.errors):
        raise NotEnded(
            "\n".join([*outcome.errors, "the cluster still holds something in the cloud; the state is kept"])
        )


def goes_first(resource: Mapping[str, Any]) -> bool:
    """Whether the cluster makes something of it in the cloud, or holds what does."""
    kind = str(resource["type"])
    if kind == "kubernetes:core/v1:Service":
        return ((resource.get("inputs") or {}).get("spec") or {}).get("type") == "LoadBalancer"
    return kind in _FIRST or (kind.startswith("kubernetes:") and kind.endswith(_FIRST_ENDS))


def _destroy(place: Place, name: str, watch: Watch, more: Mapping[str, str] | None = None) -> Outcome:
    return stacks.operate(place, ("destroy", "--stack", name, "--refresh", "--continue-on-error"), watch, more)


def _again(place: Place, name: str, watch: Watch) -> Outcome:
    """What a cluster held that is gone cannot be deleted in it; Helm releases do not even notice."""
    stacks.operate(place, ("refresh", "--stack", name), watch, _UNREACHABLE)
    left = stacks.resources(place, name)
    if not any(one["type"] == _CLUSTER for one in left):
        for one in left:
            if one["type"] == _RELEASE:
                stacks.give_up(place, name, str(one["urn"]))
    return _destroy(place, name, watch, _UNREACHABLE)
