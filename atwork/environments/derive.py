"""The settings of a new environment, derived from its name, its kind and an existing environment: pure functions."""

from __future__ import annotations

import copy
import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from atwork.errors import ConfigError, UsageError
from infra.environment_settings import MAX_LIFETIME
from infra.services import ServiceSettings

NODES = ipaddress.IPv4Network("10.0.0.0/10")
"""The range from which nodes get their blocks, in order."""

PODS = ipaddress.IPv4Network("10.64.0.0/10")
"""The range from which pods get their blocks. Nothing else needs a range: Google provides one for services, and the
control plane and the databases have private endpoints among the nodes."""

SIZES = {"ephemeral": (22, 19), "long-lived": (20, 16)}
"""Prefixes of the ranges for nodes and pods: 29 nodes with a /24 each and room for upgrades; 250 nodes."""

_OF_THE_MACHINE = ("disk_type", "gpu")
"""Settings of a node pool without which its machine type may be refused."""

_SPAN = re.compile(r"^(\d{1,4})([hd])$")


def span(text: str) -> timedelta:
    """A time to live such as 72h or 3d; `UsageError` for other text and for more than the longest lifetime."""
    match = _SPAN.match(text)
    if match is None or int(match[1]) == 0:
        raise UsageError(f"--ttl {text}: write hours or days, such as 72h or 3d")
    lifetime = timedelta(**{{"h": "hours", "d": "days"}[match[2]]: int(match[1])})
    if lifetime > MAX_LIFETIME:
        raise UsageError(
            f"--ttl {text}: an ephemeral environment has {MAX_LIFETIME.days} days at most; take less, or make it "
            "--kind long-lived"
        )
    return lifetime


def moment(of: datetime) -> str:
    """A moment in the format of stack files."""
    return of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def free(taken: Iterable[ipaddress.IPv4Network], pool: ipaddress.IPv4Network, prefix: int) -> ipaddress.IPv4Network:
    """The first block of a size in a pool that overlaps no used block."""
    size = 1 << (32 - prefix)
    start = int(pool.network_address)
    for block in sorted(block for block in taken if block.overlaps(pool)):
        if start + size <= int(block.network_address):
            break
        # The next aligned address after the used block.
        start = max(start, -(-(int(block.broadcast_address) + 1) // size) * size)
    if start + size - 1 > int(pool.broadcast_address):
        raise ConfigError(
            f"no /{prefix} is free in {pool}: all of it is in stacks/*.yaml; end an environment that is not needed "
            "(`atwork environment list` shows which have expired)"
        )
    return ipaddress.IPv4Network((start, prefix))


def ephemeral(like: Mapping[str, Any], *, created: datetime, expires: datetime) -> dict[str, Any]:
    """Settings of an ephemeral environment like an existing one: small, in one zone, without retained resources."""
    settings = copy.deepcopy(dict(like))
    region = settings["region"]
    settings["environment"] = {"kind": "ephemeral", "created_at": moment(created), "expires_at": moment(expires)}
    cluster = {
        key: value for key, value in settings["cluster"].items() if key in ("release_channel", "admin_group", "zone")
    }
    cluster |= {"zone": cluster.get("zone", f"{region}-b"), "deletion_protection": False}
    settings["cluster"] = {**cluster, "control_plane_logs": [], "control_plane_metrics": []}
    settings["node_pools"] = {
        key: {
            "machine_type": pool["machine_type"],
            **({"disk_type": pool["disk_type"]} if "disk_type" in pool else {}),
            "min_nodes": 1,
            "max_nodes": min(int(pool["max_nodes"]), 4),
            "spot": True,
            **{name: pool[name] for name in _OF_THE_MACHINE if name in pool},
        }
        for key, pool in settings["node_pools"].items()
    }
    for database in settings.get("databases", {}).values():
        for key in ("freeze", "replicas", "edition", "disk_type"):
            database.pop(key, None)
        database.pop("disk_type", None)  # the small machine may not take it
        database |= {
            "edition": "ENTERPRISE",
            "tier": "db-custom-1-3840",
            "high_availability": False,
            "deletion_protection": False,
            "backups": {"retained": 1, "point_in_time_days": 1, "keep_after_deletion": False},
        }
    for key in ("cluster_backup", "secrets", "audit_logs", "preview_namespaces", "gateway", "monitoring"):
        settings.pop(key, None)
    settings |= {"encryption": {"covers": []}, "policies": {"mandatory": False}}
    settings["network"] = {"dns_logs": False}
    return settings


def choose(settings: dict[str, Any], services: Sequence[str], catalog: Mapping[str, ServiceSettings]) -> None:
    """Let only some services run in an ephemeral environment, and remove the databases that none of them uses."""
    settings["environment"]["services"] = list(services)
    chosen = [service for name, service in catalog.items() if name in services]
    used = {service.database.instance for service in chosen if service.database is not None}
    databases = {key: value for key, value in settings.pop("databases", {}).items() if key in used}
    if databases:
        settings["databases"] = databases


def long_lived(like: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an environment like an existing one, with other ranges and another project."""
    settings = copy.deepcopy(dict(like))
    tier = settings["environment"].get("tier")
    settings["environment"] = {"kind": "long-lived", **({"tier": tier} if tier else {})}
    settings.pop("preview_namespaces", None)  # those of pull requests are in one environment
    settings.pop("gateway", None)  # its domain is that of the other environment
    if alerts := _alerts(settings.pop("monitoring", {"channels": {}})):
        settings["monitoring"] = alerts
    network = settings.get("network", {})
    network.pop("extra_pods", None)
    network.pop("proxies", None)  # of an internal gateway, which is removed above
    network.pop("existing", None)  # its subnet has other ranges; the new environment creates a network of its own
    return settings


def _alerts(like: Mapping[str, Any]) -> dict[str, Any]:
    """The section `monitoring` without what belongs to one project: channels that exist, and accounts that deploy it.

    A severity that loses its last channel gets the first of the others. Without any, there are no alerts yet.
    """
    channels = {key: channel for key, channel in like["channels"].items() if "existing" not in channel}
    if not channels:
        return {}
    routes = _routes({key: value for key, value in like["routes"].items() if key != "teams"}, channels)
    if teams := like["routes"].get("teams"):
        routes["teams"] = {team: _routes(own, channels) for team, own in teams.items()}
    kept = {key: value for key, value in like.items() if key != "audit_changes"}
    return {**kept, "channels": channels, "routes": routes}


def _routes(like: Mapping[str, Sequence[str]], channels: Mapping[str, Any]) -> dict[str, Any]:
    """Routes to the channels that remain, by severity."""
    return {
        severity: [key for key in keys if key in channels] or [next(iter(channels))] for severity, keys in like.items()
    }


def ranges(kind: str, taken: Iterable[ipaddress.IPv4Network]) -> dict[str, str]:
    """Free ranges of the size that a kind of environment needs."""
    blocks = list(taken)
    nodes, pods = SIZES[kind]
    return {"nodes": str(free(blocks, NODES, nodes)), "pods": str(free(blocks, PODS, pods))}
