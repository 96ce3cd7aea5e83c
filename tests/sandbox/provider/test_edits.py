"""Edits of stack files against the simulated providers: what each changes, as the official providers were seen to do.

`edits.yaml` is the table: an edit, the operations that the providers plan for it, and where that was seen. It holds
what an edit changes itself; what the engine makes of that in the resources that depend on it is in tests/sandbox.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.mocks import Recorded, Recording
from support.program import run_stack

from atwork.engine.urn import provider_of
from atwork.sandbox.provider.gcp.package import GoogleCloud
from atwork.sandbox.provider.kubernetes.package import Kubernetes
from atwork.sandbox.provider.package import Package, ResourceRequest
from infra.config import STACKS, read_file

EDITS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("edits.yaml").read_text())
PACKAGES: dict[str, Package] = {"gcp": GoogleCloud(), "kubernetes": Kubernetes()}
KUBECONFIG = '{"clusters": [{"cluster": {"server": "https://example"}}]}'
REMOVED = None


@cache
def before(stack: str) -> Recording:
    return run_stack(stack)


def edited(stack: str, changes: dict[str, Any]) -> Recording:
    """What the program declares with values set at dotted paths; null removes one."""
    settings = json.loads(read_file(STACKS / f"Pulumi.{stack}.yaml") or "{}")
    for path, value in changes.items():
        *parents, last = path.split("/")
        target = settings
        for part in parents:
            target = target.setdefault(part, {})
        if value is REMOVED:
            del target[last]
        else:
            target[last] = value
    # A part that is left out stays as it is in the file: only those that differ are handed over.
    return run_stack(stack, settings)


def request(item: Recorded, recording: Recording) -> ResourceRequest:
    """The resource as its provider is asked about it, with that provider's settings."""
    provider = recording.resources.get(provider_of(item.provider))
    labels = provider.inputs.get("defaultLabels") if provider is not None else None
    labels = json.loads(labels) if isinstance(labels, str) else labels
    config = {"project": "acme", "region": "europe-west1", "kubeconfig": KUBECONFIG, "defaultLabels": labels}
    options = {"enableConfigMapMutable": True, "enableSecretMutable": True}
    return ResourceRequest(item.type, item.urn, {**config, **options}, item.inputs)


def operation(old: Recorded, olds: Recording, new: Recorded, news: Recording) -> str:
    """What the provider plans for one resource: `update`, `replace`, or "" for nothing."""
    package = PACKAGES[new.type.partition(":")[0]]
    asked = request(old, olds)
    last = package.complete(asked, {}, b"seed")
    state = package.outputs(ResourceRequest(asked.token, asked.urn, asked.config, last), "id")
    wanted = request(new, news)
    wanted = ResourceRequest(wanted.token, wanted.urn, wanted.config, package.complete(wanted, last, b"seed"))
    result = [
        (change, replaces)
        for change, replaces in package.differences(wanted, last, state)
        if change.text() not in new.ignore_changes and change.path[0] not in new.ignore_changes
    ]
    return "replace" if any(replaces for _, replaces in result) else "update" if result else ""


def operations(olds: Recording, news: Recording) -> dict[str, dict[str, int]]:
    """How many of each type are created, updated, replaced and deleted."""
    counted: dict[str, Counter[str]] = {}

    def count(verb: str, item: Recorded) -> None:
        if verb and item.custom and item.type.startswith(("gcp:", "kubernetes:")):
            counted.setdefault(verb, Counter())[item.type.rpartition(":")[2]] += 1

    for urn, new in news.resources.items():
        old = olds.resources.get(urn)
        if old is None:
            count("create", new)
        elif new.custom and new.type.startswith(("gcp:", "kubernetes:")):
            count(operation(old, olds, new, news), new)
    for urn, old in olds.resources.items():
        if urn not in news.resources:
            count("delete", old)
    return {verb: dict(result) for verb, result in counted.items()}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit["edit"].replace(" ", "-"))
def test_an_edit_is_planned_as_the_official_providers_plan_it(edit: dict[str, Any]) -> None:
    assert edit["source"]
    first = edited(edit["stack"], edit["from"]) if "from" in edit else before(edit["stack"])
    second = edited(edit["stack"], {**edit.get("from", {}), **edit["change"]})
    assert operations(first, second) == edit["expected"]


def test_equal_inputs_plan_no_change() -> None:
    for stack in ("ci", "staging", "production"):
        assert operations(before(stack), before(stack)) == {}
