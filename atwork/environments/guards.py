"""The guards of an environment against its deletion, each with the file and the key that lift it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from atwork.engine.backend import Backend
from atwork.engine.state import read_stacks
from atwork.environments import stacks
from infra import CONFIG_KEY
from infra.stack import StackConfig


def of_file(name: str, config: StackConfig, environments: Mapping[str, StackConfig]) -> Iterator[str]:
    """Guards in the stack files."""
    key = f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}"
    for other, settings in environments.items():
        if settings.upstream == name:
            yield f"stacks/Pulumi.{other}.yaml: {CONFIG_KEY}.upstream: {other} reads {name}; destroy {other} first"
    yield from _of_data(key, config)
    if config.cluster_backup is not None and config.cluster_backup.lock_days:
        yield (
            f"{key}.cluster_backup.lock_days: {config.cluster_backup.lock_days}; set it to 0, and wait until the last "
            "locked backup may go"
        )
    if config.project.create is not None and not config.project.deletable:
        yield f"{key}.project.deletable: false; set it to true, or adopt the project by its number to keep it"


def _of_data(key: str, config: StackConfig) -> Iterator[str]:
    """Deletion protection of clusters, registries, databases, node pools and Jenkins."""
    if config.cluster.deletion_protection:
        guarded = "namespaces, secrets, Redis, keys and addresses"
        yield f"{key}.cluster.deletion_protection: true; set it to false (it guards {guarded} too)"
    if config.registry is not None and config.registry.deletion_protection:
        yield f"{key}.registry.deletion_protection: true; set it to false (it guards the registry's keys too)"
    for database, settings in config.databases.items():
        if settings.deletion_protection:
            yield f"{key}.databases.{database}.deletion_protection: true; set it to false"
    for pool, nodes in config.node_pools.items():
        if nodes.deletion_protection:
            yield f"{key}.node_pools.{pool}.deletion_protection: true; set it to false"
    if config.jenkins is not None and config.jenkins.protect_home:
        yield f"{key}.jenkins.protect_home: true; back its home up and set it to false"


def of_readers(backend: Backend, name: str, groups: Collection[str] = ()) -> Iterator[str]:
    """Deployed stacks that read its outputs, including stacks without a file, but not those of its own groups."""
    for reader, count in backend.stacks().items():
        if reader not in (name, *groups) and count and name in read_stacks(backend.deployment(reader) or {}):
            yield f"{reader} reads {name} as it is deployed; destroy {reader} first"


def of_state(held: list[dict[str, Any]]) -> Iterator[str]:
    """Guards on the deployed resources, which the last update set."""
    for resource in held:
        inputs: dict[str, Any] = resource.get("inputs") or {}
        settings = inputs.get("settings")
        both: dict[str, Any] = {**inputs, **settings} if isinstance(settings, dict) else inputs
        on = [key for key in ("deletionProtection", "deletionProtectionEnabled") if both.get(key) is True]
        if resource.get("protect"):
            on.append("protect")
        if inputs.get("deletionPolicy") == "PREVENT":
            on.append("deletionPolicy PREVENT")
        if on:
            guards = ", ".join(on)
            yield f"{stacks.name(resource)}: {guards} is on as it is deployed; `pulumi up` lifts what the file lifts"
