"""What a region has: the machines that the nodes need, and room in its quotas for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, asked
from infra.stack import StackConfig

COMPUTE = "https://compute.googleapis.com/compute/v1/projects"
NAMES = ("machine types", "CPU quota", "disk and address quotas")

_DISKS = {
    "pd-standard": "DISKS_TOTAL_GB",
    "pd-balanced": "SSD_TOTAL_GB",
    "pd-ssd": "SSD_TOTAL_GB",
    "hyperdisk-balanced": "HDB_TOTAL_GB",
}
"""The quota in which each disk type counts: https://cloud.google.com/compute/resource-usage#disk_quota"""


def checks(google: Google, config: StackConfig, project: str, *, own: bool) -> Iterator[Check]:
    """Look at the region in a project; `own` is whether it is the environment's, whose use so far counts."""
    if not project:
        words = "not checked: the project is not there yet, and no other was named to ask in its place"
        yield from (Check(one, None, words) for one in NAMES)
        return
    region: dict[str, Any] = {}
    cpus: dict[str, int] = {}
    fix = f"ask for roles/compute.viewer on {project}"

    def offered() -> Check:
        region.update(google.call("GET", f"{COMPUTE}/{project}/regions/{config.region}"))
        return _machines(google, config, project, region, cpus)

    yield asked(NAMES[0], fix, offered)
    if not region:
        yield from (Check(one, None, "not checked: the region is not known") for one in NAMES[1:])
        return
    quotas = {str(one["metric"]): one for one in region.get("quotas", [])}
    yield _quota(NAMES[1], needed_cpus(config, cpus, set(quotas)), quotas, config.region, project, own=own)
    # The disks of all nodes at once are rarely there: that only warns.
    found = _quota(NAMES[2], needed_space(config), quotas, config.region, project, own=own)
    yield replace(found, needed=False)


def _machines(
    google: Google, config: StackConfig, project: str, region: Mapping[str, Any], cpus: dict[str, int]
) -> Check:
    """Whether each machine type is offered in enough zones; fills in the vCPUs of each."""
    all_zones = [str(one).rpartition("/")[2] for one in region.get("zones", [])]
    zones = [config.cluster.zone] if config.cluster.zone else all_zones
    missing: list[str] = []
    for kind in sorted({pool.machine_type for pool in config.node_pools.values()}):
        there = {zone: _cpus(google, project, zone, kind) for zone in zones}
        having = [count for count in there.values() if count]
        cpus[kind] = max(having, default=0)
        if len(having) < min(3, len(zones)):  # a regional cluster has nodes in three zones
            missing.append(f"{kind} is in {len(having)} of {', '.join(zones)}")
    words = "; ".join(missing) or f"{', '.join(sorted(cpus))} in {', '.join(zones)}"
    return Check(NAMES[0], not missing, words, "choose another machine_type, zone or region" if missing else "")


def _cpus(google: Google, project: str, zone: str, kind: str) -> int:
    from google.api_core.exceptions import NotFound

    try:
        return int(google.call("GET", f"{COMPUTE}/{project}/zones/{zone}/machineTypes/{kind}")["guestCpus"])
    except NotFound:
        return 0


def needed_cpus(config: StackConfig, cpus: Mapping[str, int], metrics: set[str]) -> dict[str, int]:
    """The most vCPUs of all pools, by the quota that they count in: that of their family where there is one."""
    found: dict[str, int] = {}
    for pool in config.node_pools.values():
        own = f"{pool.machine_type.partition('-')[0].upper()}_CPUS"
        metric = own if own in metrics else "CPUS"
        found[metric] = found.get(metric, 0) + pool.max_nodes * cpus.get(pool.machine_type, 0)
    limits = config.cluster.autoprovisioning
    if limits is not None:  # the most of the whole cluster, the pools included
        found["CPUS"] = max(found.get("CPUS", 0), limits.max_cpu)
    return found


def needed_space(config: StackConfig) -> dict[str, int]:
    """Disks of all nodes in GB and static addresses, by the quota that they count in."""
    found = {"STATIC_ADDRESSES": config.network.nat.static_addresses}
    for pool in config.node_pools.values():
        metric = _DISKS[pool.disk_type]
        found[metric] = found.get(metric, 0) + pool.max_nodes * pool.disk_size_gb
    return {metric: need for metric, need in found.items() if need}


def _quota(
    name: str, needed: Mapping[str, int], quotas: Mapping[str, Any], region: str, project: str, *, own: bool
) -> Check:
    words: list[str] = []
    short: list[str] = []
    for metric, need in needed.items():
        quota = quotas.get(metric, {"limit": 0, "usage": 0})
        free = int(quota["limit"] - (quota["usage"] if own else 0))
        words.append(f"{metric} {region}: need {need}, {'free' if own else 'limit'} {free}")
        if need > free:
            short.append(metric)
    detail = ", ".join(words) + ("" if own else f", as in {project}; a new project may start with less")
    url = f"https://console.cloud.google.com/iam-admin/quotas?project={project}"
    return Check(name, not short, detail, f"fewer max_nodes, another region, or ask for more: {url}" if short else "")
