"""`atwork environment check` with many environments and services."""

from __future__ import annotations

from pathlib import Path

from atwork.bench.catalogs import add_service, group_name
from atwork.bench.commands import time_success
from atwork.bench.environments import Row
from atwork.environments.derive import NODES, PODS
from atwork.environments.files import deployer, with_deploy
from atwork.yaml_edits import YamlText
from infra import CONFIG_KEY
from infra.config import read_all
from infra.layout import stack_file
from infra.promotion import release_order
from infra.yaml_text import read_text

_ENVIRONMENTS, _SERVICES = 200, 1000
_PLACES = 2
"""Environments in which a service runs."""


def rows(folder: Path) -> list[Row]:
    """The time of the command in a copy of the checkout, with that many files."""
    names = add_environments(folder, _ENVIRONMENTS)
    for number in range(_SERVICES):
        places = (names[(number + step) % len(names)] for step in range(_PLACES))
        add_service(folder, group_name(number % 40), f"s{number:04}", places)
    seconds = time_success(folder, ["environment", "check"])
    return [(f"check of {_ENVIRONMENTS} environments and {_SERVICES} services", f"{seconds:.1f} s", "<= 3 s")]


def add_environments(folder: Path, count: int) -> list[str]:
    """Write stack files of long-lived environments up to that number, like the first that releases reach."""
    stacks = folder / "stacks"
    environments = read_all(stacks)
    like = release_order(environments)[0]
    model = environments[like]
    upstream = stack_file(stacks, model.upstream or "")
    text = read_text(stack_file(stacks, like), like)
    if model.preview_namespaces is not None:  # one environment has them
        text = YamlText(text, like).without_entry(("config", CONFIG_KEY), "preview_namespaces")
    deploys = read_text(upstream, upstream.name)
    taken = [block for config in environments.values() for block in config.network.ranges().values()]
    nodes, pods = (
        (block for block in pool.subnets(new_prefix=prefix) if not any(block.overlaps(other) for other in taken))
        for pool, prefix in ((NODES, 20), (PODS, 19))
    )
    names = [f"bench-{number:03}" for number in range(count - len(environments))]
    for name, node_range, pod_range in zip(names, nodes, pods, strict=False):
        project = f"acme-{name}"
        changes = {
            model.project.id: project,
            model.network.nodes: str(node_range),
            model.network.pods: str(pod_range),
        }
        changed = text
        for old, new in changes.items():
            changed = changed.replace(old, new)
        stack_file(stacks, name).write_text(changed)
        deploys = with_deploy(deploys, name, f"{{account: {deployer(project)}}}", upstream.name, "jenkins")
    upstream.write_text(deploys)
    return names
