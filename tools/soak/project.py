"""The project of the soak: the real program with two small environments."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from atwork.sandbox.home import Home

ROOT = Path(__file__).parents[2]
STACKS = ("alpha", "beta")
_MOST_TENANTS, _MOST_POOLS = 2, 2

StackSettings = dict[str, Any]
Edit = Callable[[StackSettings, random.Random], str]


def make(folder: Path) -> Home:
    """Write the project into a folder; its sandbox is empty."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    shutil.copytree(ROOT / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "stacks").mkdir()
    (folder / "services").mkdir()
    (folder / "temporary").mkdir()
    return Home(folder)


def settings(number: int, stack: str) -> StackSettings:
    """The first settings of an environment: as small as the program allows."""
    return {
        "environment": {"kind": "long-lived", "owner": "team-soak"},
        "region": "europe-west1",
        "project": {"id": f"acme-soak-{stack}", "number": f"48201573091{number}"},
        "network": {"nodes": f"10.0.{16 * number}.0/20", "pods": f"10.{64 + number}.0.0/16", "dns_logs": False},
        "cluster": {
            "zone": "europe-west1-b",
            "deletion_protection": False,
            "control_plane_logs": [],
            "control_plane_metrics": [],
        },
        "node_pools": {"system": {"machine_type": "e2-standard-4", "min_nodes": 1, "max_nodes": 3}},
        "policies": {"mandatory": False},
        "encryption": {"covers": []},
        "databases": {},
        "tenants": {},
    }


def save(home: Home, stack: str, settings: StackSettings) -> None:
    """Write a stack file."""
    document = {"config": {"pulumi:disable-default-providers": ["*"], "atwork:stack": settings}}
    path = home.project.stack_file(stack)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def edited(settings: StackSettings, chance: random.Random) -> tuple[StackSettings, str]:
    """Settings after a random edit, and a description of the edit."""
    after = copy.deepcopy(settings)
    return after, chance.choice(_EDITS)(after, chance)


def grown(settings: StackSettings, chance: random.Random) -> tuple[StackSettings, str]:
    """Settings after an edit that creates or deletes many objects, and a description of the edit."""
    after = copy.deepcopy(settings)
    return after, chance.choice((_tenant, _pool, _database))(after, chance)


def _tenant(settings: StackSettings, chance: random.Random) -> str:
    tenants = settings["tenants"]
    free = [name for name in ("north", "south", "east") if name not in tenants]
    if tenants and (len(tenants) >= _MOST_TENANTS or chance.random() < 0.4):
        removed = chance.choice(sorted(tenants))
        del tenants[removed]
        return f"tenant {removed} removed"
    name = chance.choice(free)
    tenants[name] = {"owner": f"team-{name}", "accounts": ["web"]}
    return f"tenant {name} added"


def _pool(settings: StackSettings, chance: random.Random) -> str:
    pools = settings["node_pools"]
    more = sorted(set(pools) - {"system"})
    if more and (len(more) >= _MOST_POOLS or chance.random() < 0.4):
        removed = chance.choice(more)
        del pools[removed]
        return f"node pool {removed} removed"
    name = chance.choice([item for item in ("large", "spot", "build") if item not in pools])
    pools[name] = {"machine_type": "e2-standard-8", "min_nodes": 0, "max_nodes": 2, "spot": True}
    return f"node pool {name} added"


def _database(settings: StackSettings, chance: random.Random) -> str:
    if settings["databases"]:
        del settings["databases"]["main"]
        return "database main removed"
    settings["databases"]["main"] = {
        "tier": f"db-custom-{chance.choice((1, 2))}-3840",
        "high_availability": False,
        "deletion_protection": False,
        "backups": {"retained": 1, "point_in_time_days": 1, "keep_after_deletion": False},
    }
    return "database main added"


def _nodes(settings: StackSettings, chance: random.Random) -> str:
    name = chance.choice(sorted(settings["node_pools"]))
    pool = settings["node_pools"][name]
    pool["max_nodes"] = 2 + pool["max_nodes"] % 7
    return f"node pool {name}: max_nodes is {pool['max_nodes']}"


def _quota(settings: StackSettings, chance: random.Random) -> str:
    if not settings["tenants"]:
        return _nodes(settings, chance)
    name = chance.choice(sorted(settings["tenants"]))
    pods = chance.randrange(10, 100)
    settings["tenants"][name]["size"] = {"quota": {"pods": pods}}
    return f"tenant {name}: the quota is {pods} pods"


def _owner(settings: StackSettings, chance: random.Random) -> str:
    owner = f"team-{chance.choice(('soak', 'rain', 'sun'))}"
    settings["environment"]["owner"] = owner
    return f"the owner is {owner}"


def _dns_logs(settings: StackSettings, chance: random.Random) -> str:
    del chance
    settings["network"]["dns_logs"] = not settings["network"]["dns_logs"]
    return f"dns_logs is {settings['network']['dns_logs']}"


_EDITS: tuple[Edit, ...] = (_tenant, _tenant, _pool, _database, _nodes, _quota, _owner, _dns_logs)
