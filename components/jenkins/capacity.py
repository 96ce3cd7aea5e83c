"""How many pods a quota has room for, and which quotas of the settings are too small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from components.delivery import StoreName
from components.jenkins import sizes
from components.jenkins.build_settings import BuildSettings
from components.jenkins.sizes import PodContainers, Size
from components.jenkins.target_settings import TargetSettings
from components.namespace import QuotaSettings

_COUNTED = (("cpu", "requests", "cpu"), ("memory", "limits", "memory"), ("scratch", "limits", "ephemeral-storage"))
"""For each key of a quota, which amount of a container counts. Limits are at least as large as requests."""


def shortages(
    builds: BuildSettings,
    test_quota: QuotaSettings,
    stores: Iterable[StoreName],
    max_agents: int,
    targets: Mapping[str, TargetSettings],
) -> Iterator[str]:
    """A message for each quota without room for the pods that Jenkins starts.

    A full quota refuses pods, and the build waits for a pod that never starts. Jenkins' own limit queues builds.
    """
    for key, quota in (("builds.quota", builds.quota), ("test_quota", test_quota)):
        if quota.pods < max_agents:
            yield (
                f"{key}.pods {quota.pods} is less than max_agents {max_agents}: pods beyond it would be "
                "refused; raise the one or lower the other"
            )
    for key, quota, pods, pod in (
        ("builds.quota", builds.quota, "builds", sizes.build_pod(builds)),
        ("test_quota", test_quota, "tests", sizes.test_pod(stores)),
    ):
        for resource, needed, share in _missing(quota, pod, max_agents):
            yield (
                f"{key}.{resource} has no room for {max_agents} {pods} (max_agents) of {share} each; "
                f"write {needed} or more, or lower max_agents"
            )
    for cloud, target in targets.items():
        for resource, needed, share in _missing(target.quota, sizes.target_pod(cloud), 1):
            yield f"quota.{resource} of {cloud} has no room for one pod of {share}: write {needed} or more"


def fitting(quota: Size, pod: PodContainers, limit: int) -> int:
    """How many such pods a quota has room for, at most `limit`."""
    counts = [_amount(resource, getattr(quota, resource)) // _needs(pod, resource) for resource, _, _ in _COUNTED]
    return min(limit, *counts)


def _missing(quota: Size, pod: PodContainers, count: int) -> Iterator[tuple[str, str, str]]:
    """Each resource without room for `count` pods, the amount that they need, and the amount that a pod needs."""
    for resource, _, _ in _COUNTED:
        share, unit = _needs(pod, resource), "m" if resource == "cpu" else "Mi"
        if count * share > _amount(resource, getattr(quota, resource)):
            needed = f"{-(-count * share // 1000)}" if resource == "cpu" else f"{-(-count * share // 1024)}Gi"
            yield resource, needed, f"{share}{unit}"


def _needs(pod: PodContainers, resource: str) -> int:
    kind, key = next((kind, key) for name, kind, key in _COUNTED if name == resource)
    return sum(_amount(resource, container[kind][key]) for container in pod)


def _amount(resource: str, text: str) -> int:
    return sizes.millis(text) if resource == "cpu" else sizes.mebibytes(text)
