"""Advice about stack files: limits of Google Cloud and Kubernetes, and values that no list of Google's has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from infra import CONFIG_KEY, company, limits
from infra.delivery.job_sizes import job_sizes
from infra.errors import ConfigError
from infra.layout import STACKS_FOLDER, separate_groups
from infra.needs import Need, needs
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
    stacks = checkout / STACKS_FOLDER
    try:
        settings = company.read(stacks)
    except ConfigError:
        return  # without these settings no job is written
    for name in environments:
        sizes = job_sizes(name, environments, services, settings, separate_groups(stacks, name))
        for stack, size in sizes.items():
            yield from _lines(stack, Need.of(limits.CONFIG_MAP_BYTES, size))


def _lines(stack: str, *counted: Need) -> Iterator[str]:
    yield from (f"stacks/Pulumi.{stack}.yaml: {need}" for need in counted if need.exceeded)
