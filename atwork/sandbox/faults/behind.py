"""Changes behind Pulumi's back: somebody edits or deletes an object of the simulated clouds."""

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
from atwork.sandbox.provider.gcp import GoogleCloud
from atwork.sandbox.provider.kubernetes import Kubernetes
from atwork.sandbox.provider.values import is_secret, reveal, secret


def run(stack: str, name: str, key: str, value: str, *, delete: bool) -> int:
    """Do it, and say what was there before."""
    if delete == bool(key):
        raise UsageError("say a property and its value, or --delete")
    home = here()
    cloud = Cloud(home.cloud)
    found = named(cloud, stack, name)
    if found.type.startswith("kubernetes:") and fleet_of(home) is not None:
        raise UsageError(
            f"{found.id} is in a real cluster: change it by kubectl (`atwork sandbox kubeconfig {stack} > kubeconfig`)"
        )
    console = Console(highlight=False, soft_wrap=True)
    if delete:
        package = Kubernetes() if found.type.startswith("kubernetes:") else GoogleCloud()
        package.gone(found, cloud)
        console.print(f"{stack}: deleted {found.id}", markup=False)
        return 0
    edited, before = changed(found, key, yaml.safe_load(value))
    cloud.edit(edited)
    console.print(f"{stack}: {found.id}: {key} was {before!r} and is {yaml.safe_load(value)!r}", markup=False)
    return 0


def named(cloud: Cloud, stack: str, name: str) -> CloudObject:
    """The object of a stack by its name in the program; `UsageError` names near ones where there is none."""
    there = [one for one in cloud.objects() if stack_of(one.urn) == stack]
    if not there:
        raise SandboxError(f"{stack}: nothing of it is in the simulated clouds; run `atwork sandbox up {stack}` first")
    found = [one for one in there if name in (name_of(one.urn), one.urn)]
    if len(found) > 1:
        raise UsageError(f"{name}: {len(found)} objects are called so; give the URN: {', '.join(o.urn for o in found)}")
    if not found:
        near = difflib.get_close_matches(name, [name_of(one.urn) for one in there], n=3, cutoff=0.4)
        advice = f"did you mean {' or '.join(near)}?" if near else f"`pulumi stack -s {stack} --show-urns` lists them"
        raise UsageError(f"{name}: {stack} has no object of that name; {advice}")
    return found[0]


def changed(found: CloudObject, key: str, value: Any) -> tuple[CloudObject, Any]:
    """The object with a property changed, inside and out, and the value before; what was secret stays so."""
    first = key.partition(".")[0]
    known = schema.resource(found.type)["inputs"]["properties"]
    if first not in known:
        near = difflib.get_close_matches(first, known, n=1, cutoff=0.4)
        raise UsageError(f"{key}: {found.type} has no property {first}{f'; did you mean {near[0]}?' if near else ''}")
    path = key.split(".")
    inputs, before = _set(found.inputs, path, value, key)
    outputs, _ = _set(found.outputs, path, value, key)
    return replace(found, inputs=inputs, outputs=outputs), before


def _set(value: Any, path: list[str], new: Any, key: str) -> tuple[Any, Any]:
    if is_secret(value):
        inner, _ = _set(reveal(value), path, new, key)
        return secret(inner), "[secret]"
    if not path:
        return new, value
    if isinstance(value, list):
        if not path[0].isdigit() or int(path[0]) >= len(value):
            raise UsageError(f"{key}: {path[0]} is no place in a list of {len(value)}")
        index = int(path[0])
        item, before = _set(value[index], path[1:], new, key)
        return [*value[:index], item, *value[index + 1 :]], before
    if value is not None and not isinstance(value, dict):
        raise UsageError(f"{key}: {value!r} holds no {path[0]}")
    there = value or {}
    item, before = _set(there.get(path[0]), path[1:], new, key)
    return {**there, path[0]: item}, before
