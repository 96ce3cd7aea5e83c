"""Drift on demand: the command `atwork sandbox drift` edits or deletes an object without Pulumi."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Any

import yaml
from rich.console import Console

from atwork.engine.urn import name_of, stack_of
from atwork.errors import SandboxError, UsageError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import here
from atwork.sandbox.provider import schema
from atwork.sandbox.provider.gcp.package import GoogleCloud
from atwork.sandbox.provider.kubernetes.package import Kubernetes
from atwork.sandbox.provider.values import is_secret, reveal, secret


def run(stack: str, name: str, key: str, value: str, *, delete: bool) -> int:
    """Edit or delete the object, and print its former value."""
    if delete == bool(key):
        raise UsageError("say a property and its value, or --delete")
    home = here()
    cloud = Cloud(home.cloud)
    target = find(cloud, stack, name)
    if target.type.startswith("kubernetes:") and fleet_of(home) is not None:
        raise UsageError(
            f"{target.id} is in a real cluster: change it by kubectl (`atwork sandbox kubeconfig {stack} > kubeconfig`)"
        )
    console = Console(highlight=False, soft_wrap=True)
    if delete:
        package = Kubernetes() if target.type.startswith("kubernetes:") else GoogleCloud()
        package.delete(target, cloud)
        console.print(f"{stack}: deleted {target.id}", markup=False)
        return 0
    edited, before = edit(target, key, yaml.safe_load(value))
    cloud.edit(edited)
    console.print(f"{stack}: {target.id}: {key} was {before!r} and is {yaml.safe_load(value)!r}", markup=False)
    return 0


def find(cloud: Cloud, stack: str, name: str) -> CloudObject:
    """The object of a stack by its name in the program; `UsageError` with similar names if there is none."""
    objects = [item for item in cloud.objects() if stack_of(item.urn) == stack]
    if not objects:
        raise SandboxError(f"{stack}: nothing of it is in the simulated clouds; run `atwork sandbox up {stack}` first")
    matches = [item for item in objects if name in (name_of(item.urn), item.urn)]
    if len(matches) > 1:
        urns = ", ".join(item.urn for item in matches)
        raise UsageError(f"{name}: {len(matches)} objects have this name; give the URN: {urns}")
    if not matches:
        near = difflib.get_close_matches(name, [name_of(item.urn) for item in objects], n=3, cutoff=0.4)
        advice = f"did you mean {' or '.join(near)}?" if near else f"`pulumi stack -s {stack} --show-urns` lists them"
        raise UsageError(f"{name}: {stack} has no object of that name; {advice}")
    return matches[0]


def edit(target: CloudObject, key: str, value: Any) -> tuple[CloudObject, Any]:
    """The object with a property changed in inputs and outputs, and the former value; a secret stays a secret."""
    first = key.partition(".")[0]
    known = schema.resource(target.type)["inputs"]["properties"]
    if first not in known:
        near = difflib.get_close_matches(first, known, n=1, cutoff=0.4)
        raise UsageError(f"{key}: {target.type} has no property {first}{f'; did you mean {near[0]}?' if near else ''}")
    path = key.split(".")
    inputs, before = _set(target.inputs, path, value, key)
    outputs, _ = _set(target.outputs, path, value, key)
    return replace(target, inputs=inputs, outputs=outputs), before


def _set(value: Any, path: list[str], new: Any, key: str) -> tuple[Any, Any]:
    """The value with `new` at a path, and the former value there."""
    if is_secret(value):
        inner, _ = _set(reveal(value), path, new, key)
        return secret(inner), "[secret]"
    if not path:
        return new, value
    if isinstance(value, list):
        if not path[0].isdigit() or int(path[0]) >= len(value):
            raise UsageError(f"{key}: {path[0]} is no index of a list of {len(value)}")
        index = int(path[0])
        item, before = _set(value[index], path[1:], new, key)
        return [*value[:index], item, *value[index + 1 :]], before
    if value is not None and not isinstance(value, dict):
        raise UsageError(f"{key}: {value!r} has no {path[0]}")
    entries = value or {}
    item, before = _set(entries.get(path[0]), path[1:], new, key)
    return {**entries, path[0]: item}, before
