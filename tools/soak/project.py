"""The project that the soak lives in: the real program, with two small environments of its own."""

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

Settings = dict[str, Any]
Edit = Callable[[Settings, random.Random], str]


def make(folder: Path) -> Home:
    """Write the project; its sandbox is empty."""
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    shutil.copytree(ROOT / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "stacks").mkdir()
    (folder / "services").mkdir()
    (folder / "temporary").mkdir()
    return Home(folder)


def settings(number: int, stack: str) -> Settings:
    """What an environment is at first: as small as the program allows."""
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


def save(home: Home, stack: str, wanted: Settings) -> None:
    """Write a stack file, as a person would."""
    document = {"config": {"pulumi:disable-default-providers": ["*"], "atwork:stack": wanted}}
    path = home.project.stack_file(stack)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def edited(now: Settings, chance: random.Random) -> tuple[Settings, str]:
    """Other settings, and what changed, in words."""
    created = copy.deepcopy(now)
    reported = chance.choice(_EDITS)(created, chance)
    return created, reported


def grown(now: Settings, chance: random.Random) -> tuple[Settings, str]:
    """Settings with something added or taken away, so that many objects come or go."""
    created = copy.deepcopy(now)
    reported = chance.choice((_tenant, _pool, _database))(created, chance)
    return created, reported


def _tenant(created: Settings, chance: random.Random) -> str:
    tenants = created["tenants"]
    free = [name for name in ("north", "south", "east") if name not in tenants]
    if tenants and (len(tenants) >= _MOST_TENANTS or chance.random() < 0.4):
        gone = chance.choice(sorted(tenants))
        del tenants[gone]
        return f"tenant {gone} goes"
    name = chance.choice(free)
    tenants[name] = {"owner": f"team-{name}", "accounts": ["web"]}
    return f"tenant {name} comes"


def _pool(created: Settings, chance: random.Random) -> str:
    pools = created["node_pools"]
    more = sorted(set(pools) - {"system"})
    if more and (len(more) >= _MOST_POOLS or chance.random() < 0.4):
        gone = chance.choice(more)
        del pools[gone]
        return f"node pool {gone} goes"
    name = chance.choice([item for item in ("large", "spot", "build") if item not in pools])
    pools[name] = {"machine_type": "e2-standard-8", "min_nodes": 0, "max_nodes": 2, "spot": True}
    return f"node pool {name} comes"


def _database(created: Settings, chance: random.Random) -> str:
    if created["databases"]:
        del created["databases"]["main"]
        return "database main goes"
    created["databases"]["main"] = {
        "tier": f"db-custom-{chance.choice((1, 2))}-3840",
        "high_availability": False,
        "deletion_protection": False,
        "backups": {"retained": 1, "point_in_time_days": 1, "keep_after_deletion": False},
    }
    return "database main comes"


def _nodes(created: Settings, chance: random.Random) -> str:
    name = chance.choice(sorted(created["node_pools"]))
    pool = created["node_pools"][name]
    pool["max_nodes"] = 2 + pool["max_nodes"] % 7
    return f"node pool {name} may have {pool['max_nodes']} nodes"


def _quota(created: Settings, chance: random.Random) -> str:
    if not created["tenants"]:
        return _nodes(created, chance)
    name = chance.choice(sorted(created["tenants"]))
    pods = chance.randrange(10, 100)
    created["tenants"][name]["size"] = {"quota": {"pods": pods}}
    return f"tenant {name} may have {pods} pods"


def _owner(created: Settings, chance: random.Random) -> str:
    owner = f"team-{chance.choice(('soak', 'rain', 'sun'))}"
    created["environment"]["owner"] = owner
    return f"it belongs to {owner}"


def _dns_logs(created: Settings, chance: random.Random) -> str:
    del chance
    created["network"]["dns_logs"] = not created["network"]["dns_logs"]
    return f"dns_logs is {created['network']['dns_logs']}"


_EDITS: tuple[Edit, ...] = (_tenant, _tenant, _pool, _database, _nodes, _quota, _owner, _dns_logs)
