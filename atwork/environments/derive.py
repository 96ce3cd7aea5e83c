"""What follows from a name, a kind and an environment to be like: pure functions from stack files to a stack file."""

from __future__ import annotations

import copy
import ipaddress
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from infra.mistakes import ConfigError

NODES = ipaddress.IPv4Network("10.0.0.0/10")
"""Where ranges for nodes are taken from, one after the other."""

PODS = ipaddress.IPv4Network("10.64.0.0/10")
"""Where ranges for pods are taken from."""

LONGEST = timedelta(days=14)
"""The most that a popup may have before it."""

_SPAN = re.compile(r"^(\d+)([hd])$")


def span(text: str) -> timedelta:
    """A time to live such as 72h or 3d; `ConfigError` for what is none, or longer than a popup may have."""
    found = _SPAN.match(text)
    if found is None or int(found[1]) == 0:
        raise ConfigError(f"--ttl {text}: write hours or days, such as 72h or 3d")
    made = timedelta(**{{"h": "hours", "d": "days"}[found[2]]: int(found[1])})
    if made > LONGEST:
        raise ConfigError(
            f"--ttl {text}: a popup has {LONGEST.days} days at most; make it long-lived, or extend it later"
        )
    return made


def free(taken: Iterable[ipaddress.IPv4Network], pool: ipaddress.IPv4Network, prefix: int) -> ipaddress.IPv4Network:
    """The first block of a size in a pool that overlaps nothing that is taken."""
    used = [block for block in taken if block.overlaps(pool)]
    for block in pool.subnets(new_prefix=prefix):
        if not any(block.overlaps(one) for one in used):
            return block
    raise ConfigError(f"no /{prefix} is free in {pool}; remove an environment that is not needed")


def popup(like: Mapping[str, Any], *, expires: datetime) -> dict[str, Any]:
    """Settings of a popup: as another environment, small, in one zone, with nothing that would outlive it."""
    made = copy.deepcopy(dict(like))
    region = made["region"]
    made["environment"] = {"kind": "popup", "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
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
    for key in ("cluster_backup", "secrets", "audit_logs"):
        made.pop(key, None)
    made |= {"encryption": {"covers": []}, "policies": {"mandatory": False}}
    made["network"] = {"dns_logs": False}
    return made


def long_lived(like: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an environment as another one, on ranges and a project of its own."""
    made = copy.deepcopy(dict(like))
    made["environment"] = {"kind": "long-lived"}
    network = made.get("network", {})
    network.pop("extra_pods", None)
    return made


def ranges(kind: str, taken: Iterable[ipaddress.IPv4Network]) -> dict[str, str]:
    """Free ranges of the size that a kind of environment needs."""
    blocks = list(taken)
    nodes, pods = (22, 19) if kind == "popup" else (20, 16)
    return {"nodes": str(free(blocks, NODES, nodes)), "pods": str(free(blocks, PODS, pods))}
