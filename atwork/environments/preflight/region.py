"""Checks of a region: the machine types of the nodes, and its quotas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, ask
from components.google import gpus
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
    """Check the region in a project; `own` says that it is the environment's, whose current usage counts."""
    if not project:
        words = "not checked: the project does not exist yet, and there is no other project to query"
        yield from (Check(check, None, words) for check in NAMES)
        return
    region: dict[str, Any] = {}
    cpus: dict[str, int] = {}
    fix = f"ask for roles/compute.viewer on {project}"

    def offered() -> Check:
        region.update(google.call("GET", f"{COMPUTE}/{project}/regions/{config.region}"))
        return _machines(google, config, project, region, cpus)

    yield ask(NAMES[0], fix, offered)
    if not region:
        yield from (Check(check, None, "not checked: the region is unknown") for check in NAMES[1:])
        return
    quotas = {str(quota["metric"]): quota for quota in region.get("quotas", [])}
    needed = {**needed_cpus(config, cpus, set(quotas)), **needed_gpus(config)}
    yield _quota(NAMES[1], needed, quotas, config.region, project, own=own)
    # A warning: the disks of all nodes rarely exist at the same time.
    space = _quota(NAMES[2], needed_space(config), quotas, config.region, project, own=own)
    yield replace(space, needed=False)


def _machines(
    google: Google, config: StackConfig, project: str, region: Mapping[str, Any], cpus: dict[str, int]
) -> Check:
    """Check that enough zones offer each machine type; add the vCPUs of each to `cpus`."""
    all_zones = [str(zone).rpartition("/")[2] for zone in region.get("zones", [])]
    zones = (config.cluster.zone,) if config.cluster.zone else tuple(all_zones)
    missing: list[str] = []
    for kind, places in sorted({(pool.machine_type, pool.zones or zones) for pool in config.node_pools.values()}):
        there = {zone: _cpus(google, project, zone, kind) for zone in places}
        having = [count for count in there.values() if count]
        cpus[kind] = max(having, default=0)
        # A regional cluster has nodes in three zones, and a pool in all zones that it names.
        if len(having) < (len(places) if places is not zones else min(3, len(zones))):
            missing.append(f"{kind} is in {len(having)} of {', '.join(places)}")
    words = "; ".join(missing) or f"{', '.join(sorted(cpus))} in {', '.join(zones)}"
    return Check(NAMES[0], not missing, words, "choose another machine_type, zone or region" if missing else "")


def _cpus(google: Google, project: str, zone: str, kind: str) -> int:
    from google.api_core.exceptions import NotFound

    try:
        return int(google.call("GET", f"{COMPUTE}/{project}/zones/{zone}/machineTypes/{kind}")["guestCpus"])
    except NotFound:
        return 0


def needed_cpus(config: StackConfig, cpus: Mapping[str, int], metrics: set[str]) -> dict[str, int]:
    """Maximum vCPUs of all pools by quota: that of the machine family if it exists, else CPUS."""
    needs: dict[str, int] = {}
    for pool in config.node_pools.values():
        own = f"{pool.machine_type.partition('-')[0].upper()}_CPUS"
        metric = own if own in metrics else "CPUS"
        needs[metric] = needs.get(metric, 0) + pool.max_nodes * cpus.get(pool.machine_type, 0)
    limits = config.cluster.autoprovisioning
    if limits is not None:  # the maximum of the cluster, including its pools
        needs["CPUS"] = max(needs.get("CPUS", 0), limits.max_cpu)
    return needs


def needed_gpus(config: StackConfig) -> dict[str, int]:
    """Maximum GPUs of all pools by quota, with those of an upgrade; newer types have no quota of a region."""
    needs: dict[str, int] = {}
    for pool in config.node_pools.values():
        metric = "" if pool.gpu is None else gpus.quota(pool.gpu.type, spot=pool.spot)
        if pool.gpu is not None and metric:
            nodes = pool.max_nodes * (2 if pool.upgrade == "blue-green" else 1)
            needs[metric] = needs.get(metric, 0) + nodes * pool.gpu.count
    return needs


def needed_space(config: StackConfig) -> dict[str, int]:
    """Disks of all nodes in GB, and static addresses, by quota."""
    needs = {"STATIC_ADDRESSES": config.network.nat.static_addresses}
    for pool in config.node_pools.values():
        metric = _DISKS[pool.disk_type]
        needs[metric] = needs.get(metric, 0) + pool.max_nodes * pool.disk_size_gb
    return {metric: need for metric, need in needs.items() if need}


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
