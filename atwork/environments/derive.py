"""What follows from a name, a kind and an environment to be like: pure functions from stack files to a stack file."""

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
"""Where ranges for nodes are taken from, one after the other."""

PODS = ipaddress.IPv4Network("10.64.0.0/10")
"""Where ranges for pods are taken from. Nothing else needs a range: services have Google's own, the control plane and
the databases have private endpoints among the nodes."""

SIZES = {"ephemeral": (22, 19), "long-lived": (20, 16)}
"""Prefixes of the ranges for nodes and pods: 29 nodes with a /24 each and room for upgrades; 250 nodes."""

_SPAN = re.compile(r"^(\d{1,4})([hd])$")


def span(text: str) -> timedelta:
    """A time to live such as 72h or 3d; `UsageError` for other text and for more than the longest lifetime."""
    found = _SPAN.match(text)
    if found is None or int(found[1]) == 0:
        raise UsageError(f"--ttl {text}: write hours or days, such as 72h or 3d")
    made = timedelta(**{{"h": "hours", "d": "days"}[found[2]]: int(found[1])})
    if made > MAX_LIFETIME:
        raise UsageError(
            f"--ttl {text}: an ephemeral environment has {MAX_LIFETIME.days} days at most; take less, or make it "
            "--kind long-lived"
        )
    return made


def moment(of: datetime) -> str:
    """A moment as stack files have it."""
    return of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def free(taken: Iterable[ipaddress.IPv4Network], pool: ipaddress.IPv4Network, prefix: int) -> ipaddress.IPv4Network:
    """The first block of a size in a pool that overlaps nothing that is taken."""
    size = 1 << (32 - prefix)
    start = int(pool.network_address)
    for block in sorted(one for one in taken if one.overlaps(pool)):
        if start + size <= int(block.network_address):
            break
        # The next aligned address after what is taken.
        start = max(start, -(-(int(block.broadcast_address) + 1) // size) * size)
    if start + size - 1 > int(pool.broadcast_address):
        raise ConfigError(
            f"no /{prefix} is free in {pool}: all of it is in stacks/*.yaml; end an environment that is not needed "
            "(`atwork environment list` shows which are over)"
        )
    return ipaddress.IPv4Network((start, prefix))


def ephemeral(like: Mapping[str, Any], *, created: datetime, expires: datetime) -> dict[str, Any]:
    """Settings of an ephemeral environment like another one: small, in one zone, with nothing that would outlive it."""
    made = copy.deepcopy(dict(like))
    region = made["region"]
    made["environment"] = {"kind": "ephemeral", "created_at": moment(created), "expires_at": moment(expires)}
    cluster = {
        key: value for key, value in made["cluster"].items() if key in ("release_channel", "admin_group", "zone")
    }
    cluster |= {"zone": cluster.get("zone", f"{region}-b"), "deletion_protection": False}
    made["cluster"] = {**cluster, "control_plane_logs": [], "control_plane_metrics": []}
    made["node_pools"] = {
        key: {
            "machine_type": pool["machine_type"],
            "min_nodes": 1,
            "max_nodes": min(int(pool["max_nodes"]), 4),
            "spot": True,
        }
        for key, pool in made["node_pools"].items()
    }
    for database in made.get("databases", {}).values():
        database.pop("freeze", None)
        database |= {
            "tier": "db-custom-1-3840", "high_availability": False, "deletion_protection": False,
            "backups": {"retained": 1, "point_in_time_days": 1, "keep_after_deletion": False},
        }  # fmt: skip
    for key in ("cluster_backup", "secrets", "audit_logs", "preview_namespaces"):
        made.pop(key, None)
    made |= {"encryption": {"covers": []}, "policies": {"mandatory": False}}
    made["network"] = {"dns_logs": False}
    return made


def choose(settings: dict[str, Any], services: Sequence[str], catalogue: Mapping[str, ServiceSettings]) -> None:
    """Let only some services run in an ephemeral environment, and leave out the databases that none of them has."""
    settings["environment"]["services"] = list(services)
    used = {one.database.instance for name, one in catalogue.items() if name in services and one.database is not None}
    databases = {key: value for key, value in settings.pop("databases", {}).items() if key in used}
    if databases:
        settings["databases"] = databases


def long_lived(like: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an environment as another one, on ranges and a project of its own."""
    made = copy.deepcopy(dict(like))
    tier = made["environment"].get("tier")
    made["environment"] = {"kind": "long-lived", **({"tier": tier} if tier else {})}
    made.pop("preview_namespaces", None)  # those of pull requests are in one environment
    network = made.get("network", {})
    network.pop("extra_pods", None)
    return made


def ranges(kind: str, taken: Iterable[ipaddress.IPv4Network]) -> dict[str, str]:
    """Free ranges of the size that a kind of environment needs."""
    blocks = list(taken)
    nodes, pods = SIZES[kind]
    return {"nodes": str(free(blocks, NODES, nodes)), "pods": str(free(blocks, PODS, pods))}
