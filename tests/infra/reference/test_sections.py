"""What the settings of each section of a stack file change in the resources of the smallest environment."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from conftest import Golden
from support.examples import STACK, Document, run, smallest
from support.inventory import inventory

from infra.config import parse
from infra.reference.sections import SettingsSection, read_example, stack_sections

Inventories = Callable[[Document], Document]

UNUSED = {"policies"}
"""Sections that policies read and no resource does."""

ELSEWHERE = {"kubernetes:helm.sh/v3:Release jenkins-release": {"values"}}
"""Inputs that have golden files of their own (tests/golden/jenkins)."""


def difference(before: Document, after: Document) -> Document:
    """What is added and what is changed, down to single properties; null for what is removed."""
    changes: Document = {}
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            changes |= {key: inner} if (inner := difference(old, new)) else {}
        elif old != new:
            changes[key] = new
    return changes


@pytest.fixture(scope="module")
def inventories(tmp_path_factory: pytest.TempPathFactory) -> Inventories:
    """The inventory of a stack file; one run for stack files with the same settings."""
    known: list[tuple[object, Document]] = []

    def declared(document: Document) -> Document:
        config = parse(STACK, json.dumps(document))
        for other, resources in known:
            if other == config:
                return resources
        everything: Document = inventory(run(document, tmp_path_factory.mktemp("checkout") / "root"))
        resources = {
            name: {key: value for key, value in inputs.items() if key not in ELSEWHERE.get(name, ())}
            for name, inputs in everything.items()
        }
        known.append((config, resources))
        return resources

    return declared


def test_the_smallest_environment(inventories: Inventories, golden: Golden) -> None:
    golden("settings/smallest.yaml", inventories(smallest()))


@pytest.mark.parametrize("section", stack_sections(), ids=lambda section: section.name)
def test_what_a_section_declares(section: SettingsSection, inventories: Inventories, golden: Golden) -> None:
    """The least example is compared with an environment without the section, the others with the least example."""
    differences: Document = {}
    before = {key: value for key, value in smallest().items() if key == section.key}
    for name, path in section.examples().items():
        example = read_example(path)
        needed = {key: value for key, value in example.items() if key != section.key}
        changes = difference(inventories(smallest() | needed | before), inventories(smallest() | example))
        differences |= {name: changes} if changes else {}
        before = before if name != "least" else {section.key: example[section.key]}
    assert (section.name in UNUSED) == (not differences)
    if differences:
        golden(f"settings/{section.name}.yaml", differences)
