"""Catalogs of many services in groups with stacks of their own: `g00`, `g01`, …."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from atwork.group_files import write_stack_files
from infra.catalog import read_all
from infra.config import read_all as read_stacks
from infra.promotion import release_order


def add_service(folder: Path, group: str, name: str, environments: Iterable[str]) -> Path:
    """Write a service that runs in some environments."""
    path = folder / "services" / group / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    service = {
        "owner": f"team-{group}",
        "repository": f"https://github.com/acme/{name}",
        "channel": f"#team-{group}",
        "environments": {environment: {} for environment in environments},
    }
    path.write_text(yaml.safe_dump(service))
    return path


def group_name(number: int) -> str:
    """The name of a group: `g07` is number 7."""
    return f"g{number:02}"


def add_groups(folder: Path, groups: int, services: int) -> list[str]:
    """Write that many groups of that many services in every environment that releases reach; returns their names."""
    environments = read_stacks(folder / "stacks")
    names = [group_name(number) for number in range(groups)]
    for group in names:
        for number in range(services):
            add_service(folder, group, f"{group}-s{number:02}", release_order(environments))
    catalog = read_all(folder / "services")
    for group in names:
        write_stack_files(folder, group, environments, catalog)
    return names
