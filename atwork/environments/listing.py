"""`atwork environment list`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from atwork.checkout import find_checkout
from infra.config import read_all
from infra.promotion import approvers, in_order, stage
from infra.stack import StackConfig


def show(*, as_json: bool) -> int:
    """Print all environments in the order in which changes reach them."""
    environments = read_all(find_checkout().stacks)
    stages = {name: stage(config) for name, config in environments.items()}
    ordered = {name: environments[name] for name in in_order(stages)}
    if as_json:
        print(json.dumps([_record(name, ordered) for name in ordered], indent=2))
    else:
        Console(width=160, highlight=False).print(_table(ordered, datetime.now(UTC)))
    return 0


def _record(name: str, environments: Mapping[str, StackConfig]) -> dict[str, Any]:
    """The JSON of an environment for pipelines; `approvers` is empty if an update needs no approval."""
    config = environments[name]
    expires = config.environment.expires_at
    return {
        "name": name,
        "stage": stage(config).value,
        "upstream": config.upstream,
        "approvers": approvers(environments, name),
        "owner": config.environment.owner,
        "region": config.region,
        "project": config.project.id,
        "expires_at": None if expires is None else expires.isoformat(),
    }


def _table(environments: Mapping[str, StackConfig], now: datetime) -> Table:
    columns = ("environment", "stage", "kind", "owner", "region", "project", "nodes", "ends")
    table = Table(*columns, box=None, pad_edge=False)
    for name, config in environments.items():
        settings, ends = config.environment, config.environment.expires_at
        when = "" if ends is None else f"{ends:%Y-%m-%d %H:%M} UTC{' (over)' if ends < now else ''}"
        table.add_row(
            name,
            stage(config).value,
            settings.kind,
            settings.owner,
            config.region,
            config.project.id,
            str(config.network.nodes),
            when,
        )
    return table
