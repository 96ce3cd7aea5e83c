"""Admission of pods: requests and limits, Pod Security, LimitRanges and quotas of the namespace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from atwork.sandbox.verify import pod_security
from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.model import Pod, PodFinding
from atwork.sandbox.verify.quantities import Amounts, defaulted, larger, of_container, of_pod, parse, shown, total

_ENFORCE = "pod-security.kubernetes.io/enforce"
_LEVELS = {"restricted": pod_security.restricted, "baseline": pod_security.baseline}
_COUNTED = ("requests.", "limits.")


def admitted(pod: Pod, here: EnvironmentObjects) -> Pod:
    """The pod with the defaults of the LimitRanges in its namespace."""
    return replace(pod, spec=defaulted(pod.spec, here.kind("LimitRange", pod.namespace)))


def check(pod: Pod, here: EnvironmentObjects) -> Iterator[PodFinding]:
    """Findings about the admission of a pod that `admitted` returned."""
    labels = here.labels_of(pod.namespace)
    if labels is None:
        yield _refused(pod, f"namespace {pod.namespace} is missing", "create it, or use another")
        return
    for container in pod.containers():
        limits = of_container(container, "limits")
        for name, amount in of_container(container, "requests").items():
            if name in limits and amount > limits[name]:
                yield _refused(
                    pod,
                    f"container {container['name']} requests {shown(name, amount)} of {name}, more than its limit of "
                    f"{shown(name, limits[name])}",
                    "set both: the default limit of a chart or a namespace stays where only a request is set",
                )
    level = _LEVELS.get(str(labels.get(_ENFORCE)))
    problems = level(pod.spec) if level is not None else []
    if problems:
        yield _refused(
            pod, f"Pod Security {labels[_ENFORCE]} refuses it ({'; '.join(problems)})", "correct its securityContext"
        )
    priority = pod.spec.get("priorityClassName")
    if priority and not str(priority).startswith("system-") and not here.has("PriorityClass", "", str(priority)):
        yield _refused(pod, f"PriorityClass {priority} is missing", "create it, or use another")
    yield from _quota(pod, [pod], here, "one pod alone")


def check_together(all_pods: Iterable[Pod], here: EnvironmentObjects) -> Iterator[PodFinding]:
    """A finding for each quota that is too small for all pods of its namespace at their maximum."""
    together: dict[tuple[str, str], list[Pod]] = defaultdict(list)
    for pod in all_pods:
        together[pod.namespace, pod.turn].append(pod)
    for pods in together.values():
        alone = any(True for pod in pods for _ in _quota(pod, [pod], here, ""))
        if not alone:  # a pod that exceeds the quota alone is already a finding
            yield from _quota(max(pods, key=_weight), pods, here, "all pods at their maximum", most=True)


def _quota(
    pod: Pod, pods: list[Pod], here: EnvironmentObjects, what: str, *, most: bool = False
) -> Iterator[PodFinding]:
    used = _at_most(pods) if most else _usage(pod)
    for quota in here.kind("ResourceQuota", pod.namespace):
        hard = {name: parse(amount) for name, amount in (quota["spec"].get("hard") or {}).items()}
        # Extended resources, such as nvidia.com/gpu, are counted and never required of a container.
        unstated = [name for name in hard if name.startswith(_COUNTED) and "/" not in name and name not in used]
        if unstated and not most:
            yield _refused(pod, f"it states no {', '.join(unstated)}, which the quota counts", "state it")
        above = [
            f"{shown(name, used[name])} of {name} where the quota has {shown(name, amount)}"
            for name, amount in hard.items()
            if used.get(name, 0.0) > amount * (1 + 1e-9)
        ]
        if above:
            yield _refused(
                pod,
                f"{what} of {pod.namespace}: {', '.join(above)}",
                "raise the quota, or lower how many run at one time and what each asks for",
            )


def _usage(pod: Pod) -> Amounts:
    """What a quota counts for a pod, without resources that a container does not state."""
    usage: Amounts = {"pods": 1.0, "count/pods": 1.0}
    for kind in ("requests", "limits"):
        stated = [of_container(container, kind).keys() for container in pod.containers()]
        for name, amount in of_pod(pod.spec, kind).items():
            if all(name in names for names in stated):
                usage[f"{kind}.{name}"] = amount
                if kind == "requests":
                    usage[name] = amount
    return usage


def _weight(pod: Pod) -> float:
    """CPU of all pods of this kind; the finding names the largest."""
    return pod.most * of_pod(pod.spec, "requests").get("cpu", 0.0)


def _at_most(pods: list[Pod]) -> Amounts:
    """Usage of all groups at their maximum, each with its largest pod."""
    groups: dict[str, Amounts] = {}
    for pod in pods:
        usage = {name: amount * pod.most for name, amount in _usage(pod).items()}
        groups[pod.group] = larger(groups.get(pod.group, {}), usage)
    return total(groups.values())


def _refused(pod: Pod, what: str, fix: str) -> PodFinding:
    return pod.finding("admission", what, "the API server refuses the pod", fix, "FailedCreate")
