"""The admission policies of builds and tests (components/jenkins/admission.py), for pods of the plan.

Real API servers evaluate the policies themselves; tests compare both for the same pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.model import Pod, PodFinding
from components.jenkins import admission, names

_USER = 1000
_NODE_CONDITIONS = "node.kubernetes.io/"


def check(pod: Pod, here: EnvironmentObjects) -> Iterator[PodFinding]:
    """A finding for each rule of placement, and of BuildKit, that a pod of Jenkins' builders breaks."""
    placement = _variables(here, admission.PLACEMENT_POLICY)
    builds = _variables(here, admission.POLICY)
    refusals: list[str] = []
    if placement and pod.namespace in (names.AGENTS_NAMESPACE, names.TESTS_NAMESPACE):
        refusals += misplaced(pod.spec, placement["pool"])
    if builds and pod.namespace == names.AGENTS_NAMESPACE:
        refusals += foreign_buildkit(pod.spec, builds["buildkit"])
    for message in refusals:
        yield pod.finding(
            "admission",
            f"pods of builds have {message}",
            "the API server refuses the pod",
            "correct the pod's template",
            "FailedCreate",
        )


def misplaced(spec: Mapping[str, Any], pool: str) -> Iterator[str]:
    """The rules of placement that a pod breaks, by their message."""
    tolerations = spec.get("tolerations") or ()
    refused = (
        (spec.get("nodeSelector") or {}) != {names.POOL_LABEL: pool} or "affinity" in spec,
        bool(spec.get("nodeName")),
        not all(_is_tolerated(toleration, pool) for toleration in tolerations),
        spec.get("priorityClassName") not in (None, "", names.AGENT_PRIORITY),
    )
    yield from (message for message, broken in zip(admission.PLACEMENT_RULES, refused, strict=True) if broken)


def foreign_buildkit(spec: Mapping[str, Any], image: str) -> Iterator[str]:
    """The rule about the container `buildkit`, if a pod breaks it."""
    common = (spec.get("securityContext") or {}).get("runAsUser", 0)
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        user = (container.get("securityContext") or {}).get("runAsUser", common)
        if container["name"] == "buildkit" and (container["image"] != image or user != _USER):
            yield list(admission.RULES)[-1]


def _is_tolerated(toleration: Mapping[str, Any], pool: str) -> bool:
    key = str(toleration.get("key") or "")
    return key.startswith(_NODE_CONDITIONS) or (key == names.POOL_LABEL and toleration.get("value") == pool)


def _variables(here: EnvironmentObjects, policy: str) -> dict[str, str]:
    """The texts among the variables of a policy, by name; empty where the policy is not."""
    manifest = here.kubernetes.get(("ValidatingAdmissionPolicy", "", policy))
    variables = () if manifest is None else manifest["spec"].get("variables") or ()
    texts = ((item["name"], str(item["expression"])) for item in variables)
    return {name: text.strip("'") for name, text in texts if text.startswith("'")}
