"""Each section of the settings reference has examples that are accepted and that show every setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import BaseModel
from support.examples import Document, read, settings, stated

from infra.errors import ConfigError
from infra.reference.sections import EXAMPLES, SettingsSection, read_example, sections

SECTIONS = sections()
CASES = [pytest.param(section, path, id=path.stem) for section in SECTIONS for path in section.examples().values()]


def removals(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key, the outer ones first."""
    if isinstance(value, dict):
        for key, inner in cast("Document", value).items():
            yield (*path, key)
            yield from removals(inner, (*path, key))


def removed(value: Document, path: tuple[str, ...]) -> Document:
    """A copy without one key."""
    if len(path) == 1:
        return {key: inner for key, inner in value.items() if key != path[0]}
    return {key: removed(inner, path[1:]) if key == path[0] else inner for key, inner in value.items()}


def accepted(section: SettingsSection, example: Document) -> bool:
    try:
        read(section, example)
    except ConfigError:
        return False
    return True


def test_every_example_belongs_to_a_section() -> None:
    assert {path for section in SECTIONS for path in section.examples().values()} == {*EXAMPLES.iterdir()}
    assert len(CASES) >= 2 * len(SECTIONS) >= 38


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_a_section_has_a_least_and_a_most_example(section: SettingsSection) -> None:
    names = [*section.examples()]
    assert (names[0], names[-1]) == ("least", "most")


@pytest.mark.parametrize(("section", "path"), CASES)
def test_an_example_is_accepted(section: SettingsSection, path: Path) -> None:
    assert section.name
    assert not section.key or section.key in read_example(path)
    read(section, read_example(path))


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_setting_is_in_an_example(section: SettingsSection) -> None:
    shown: set[tuple[type[BaseModel], str]] = set()
    for path in section.examples().values():
        document = read(section, read_example(path))
        shown |= {*stated(getattr(document, section.key) if section.key else document)}
    missing = {*settings(section.model)} - shown
    assert sorted(f"{model.__name__}.{name}" for model, name in missing) == []


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_a_least_example_has_nothing_to_leave_out(section: SettingsSection) -> None:
    example = read_example(section.examples()["least"])
    shown = {section.key: example[section.key]} if section.key else example
    superfluous: list[str] = []
    for path in removals(shown):
        name_in_map = section.key and (len(path) == 1 or (len(path) == 2 and path[1] not in section.model.model_fields))
        if not name_in_map and accepted(section, removed(example, path)):
            superfluous.append(".".join(path))
    assert superfluous == []


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_setting_has_a_description(section: SettingsSection) -> None:
    assert section.model.__doc__
    undescribed = [
        f"{model.__name__}.{name}"
        for model, name in settings(section.model)
        if not (model.model_fields[name].description or "").endswith((".", ")"))
    ]
    assert undescribed == []
