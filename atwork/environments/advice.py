"""Advice about stack files: limits, values that no list of Google's has, and environments that nobody updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from infra import CONFIG_KEY, company, limits
from infra.delivery.job_sizes import job_sizes
from infra.delivery.settings import EPHEMERAL
from infra.errors import ConfigError
from infra.layout import STACKS_FOLDER, group_files
from infra.needs import Need, needs
from infra.promotion import Stage, stage
from infra.services import ServiceSettings
from infra.stack import StackConfig
from infra.unlisted import unlisted


def advice(
    checkout: Path,
    environments: Mapping[str, StackConfig],
    completed: Mapping[str, StackConfig],
    services: Mapping[str, ServiceSettings],
) -> Iterator[str]:
    """A line for each limit that a stack exceeds, and for each value that is not checked.

    The files have no mistakes; `completed` are the environments with their services.
    """
    for name, config in completed.items():
        yield from _lines(name, *needs(name, config))
        yield from (f"{STACKS_FOLDER}/Pulumi.{name}.yaml: {CONFIG_KEY}.{line}" for line in unlisted(config))
    yield from _not_updated(environments)
    stacks = checkout / STACKS_FOLDER
    try:
        settings = company.read(stacks)
    except ConfigError:
        return  # without these settings no job is written
    groups = group_files(stacks)
    for name in environments:
        separate = {stack.group or "" for stack in groups if stack.environment == name}
        sizes = job_sizes(name, environments, services, settings, separate)
        for stack, size in sizes.items():
            yield from _lines(stack, Need.of(limits.CONFIG_MAP_BYTES, size))


def _not_updated(environments: Mapping[str, StackConfig]) -> Iterator[str]:
    """Environments whose stacks Jenkins cannot update after a merge, where it updates others."""
    needed = [name if stage(config) is not Stage.EPHEMERAL else EPHEMERAL for name, config in environments.items()]
    for builder, config in environments.items():
        updated = config.updated_by_jenkins()
        for name in dict.fromkeys(needed) if updated else ():
            if name not in updated:
                yield (
                    f"stacks/Pulumi.{builder}.yaml: {CONFIG_KEY}.jenkins.platform.changes: has no {name}, so that the "
                    f"job of a merge that reaches it fails; add {name}: {{account: …}} (docs/previews.md)"
                )


def polling_note(name: str, config: StackConfig) -> str:
    """How Jenkins learns of pushes where GitHub cannot call it; empty where it can, and without Jenkins."""
    if config.jenkins is None or config.jenkins.called is not None:
        return ""
    if config.jenkins.gateway is not None:
        return (
            f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.jenkins.gateway.internal: no call of GitHub reaches Jenkins, "
            "which asks for pushes every 5 minutes (this repository) and every 15 (services)"
        )
    return (
        f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.jenkins.gateway: missing, so that no call of GitHub reaches Jenkins, "
        "which asks for pushes every 5 minutes (this repository) and every 15 (services); add a gateway"
    )


def _lines(stack: str, *counted: Need) -> Iterator[str]:
    yield from (f"stacks/Pulumi.{stack}.yaml: {need}" for need in counted if need.exceeded)
