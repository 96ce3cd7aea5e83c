"""Each field of the schemas with a wrong type, an empty value, null and a misspelled key: messages are in words."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from infra.company import CompanySettings
from infra.config import STACKS
from infra.errors import ConfigError
from infra.schema_paths import schema_at
from infra.services import ServiceSettings
from infra.stack import StackConfig
from infra.validation import settings_from_json
from infra.yaml_dump import dump_yaml
from infra.yaml_files import read_yaml
from infra.yaml_lines import with_lines

Path = tuple[str, ...]

RAW = re.compile(
    r"Input should|Value error|Field required|Extra inputs|String should|valid (dictionary|integer|string|number)|"
    r"should (match|have|be)|pydantic|Traceback|\[type=|NoneType|<class|object has no|PydanticUndefined"
)
"""Text of pydantic and of Python."""


def document(name: str, *keys: str) -> dict[str, Any]:
    loaded = yaml.safe_load((STACKS.parent / name).read_text())
    for key in keys:
        loaded = loaded[key]
    return loaded


STAGING, CI = (document(f"stacks/Pulumi.{name}.yaml", "config", "atwork:stack") for name in ("staging", "ci"))
DOCUMENTS: dict[str, tuple[type[BaseModel], dict[str, Any]]] = {
    "environment": (StackConfig, STAGING),
    "builds": (StackConfig, CI),
    "service": (ServiceSettings, document("services/orders.yaml")),
    "platform": (CompanySettings, document("stacks/platform.yaml")),
}


schema_of = cache(lambda model: model.model_json_schema())


def fields(model: type[BaseModel], base: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every field with its schema; maps have the first key of the document, or one that the schema names."""
    root = schema_of(model)

    def inner(schema: dict[str, Any], path: Path, value: object) -> Iterator[tuple[Path, dict[str, Any]]]:
        if "$ref" in schema:
            yield from inner(root["$defs"][schema["$ref"].rpartition("/")[2]], path, value)
            return
        for choice in schema.get("anyOf", ()):
            if choice.get("type") != "null":
                yield from inner({**schema, **choice, "anyOf": []}, path, value)
        if schema.get("anyOf"):
            return
        if path:
            yield path, schema
        known = value if isinstance(value, dict) else {}
        for key, part in schema.get("properties", {}).items():
            yield from inner(part, (*path, key), known.get(key))
        parts = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
        for part in (part for part in parts[:1] if isinstance(part, dict)):
            names = schema.get("propertyNames", {})
            key = next(iter([*known, *names.get("enum", ()), *names.get("examples", ()), "main"]))
            yield from inner(part, (*path, key), known.get(key))

    yield from inner(root, (), base)


def with_value(base: dict[str, Any], path: Path, value: object, *, key: str = "") -> dict[str, Any]:
    """The document with a value at a path, under another key if there is one."""
    changed = copy.deepcopy(base)
    here: Any = changed
    for part in path[:-1]:
        if not isinstance(here.get(part), dict):
            here[part] = {}
        here = here[part]
    here.pop(path[-1], None)
    here[key or path[-1]] = value
    return changed


def lines(model: type[BaseModel], changed: dict[str, Any]) -> list[str]:
    try:
        settings_from_json(model, json.dumps(changed), "f.yaml", ())
    except ConfigError as error:
        return str(error).splitlines()
    return []


CASES = [
    pytest.param(model, base, path, schema, id=f"{name}/{'.'.join(path)}")
    for name, (model, base) in DOCUMENTS.items()
    for path, schema in fields(model, base)
]
OF_TYPE: dict[str, object] = {
    "string": "text",
    "integer": 7,
    "number": 7.5,
    "boolean": True,
    "array": ["x"],
    "object": {"x": "y"},
}


def assert_clear(line: str) -> None:
    assert not RAW.search(line), line
    assert re.match(r"f\.yaml: ([^ :]+: )?.+; .+|f\.yaml: [^;]+$", line), line
    assert ";" in line or "did you mean" in line, f"no fix: {line}"
    hint = re.search(r"([\w-]+): unknown key; did you mean ([\w-]+)\?", line)
    assert hint is None or hint[1] != hint[2], f"the hint is the key itself: {line}"


@pytest.mark.parametrize(("model", "base", "path", "schema"), CASES)
def test_a_wrong_type_is_refused_in_words(
    model: type[BaseModel], base: dict[str, Any], path: Path, schema: dict[str, Any]
) -> None:
    wrong = [value for kind, value in OF_TYPE.items() if kind != schema.get("type")]
    if schema.get("type") == "number":
        wrong.remove(7)
    for value in wrong:
        about = [line for line in lines(model, with_value(base, path, value)) if f": {'.'.join(path)}" in line]
        assert about, f"{value!r} is accepted"
        for line in about:
            assert_clear(line)


@pytest.mark.parametrize(("model", "base", "path", "schema"), CASES)
def test_an_empty_value_is_accepted_or_refused_in_words(
    model: type[BaseModel], base: dict[str, Any], path: Path, schema: dict[str, Any]
) -> None:
    for value in (None, "", [], {}):
        for line in lines(model, with_value(base, path, value)):
            assert_clear(line)


@pytest.mark.parametrize(("model", "base", "path", "schema"), CASES)
def test_a_misspelled_key_gets_the_right_hint(
    model: type[BaseModel], base: dict[str, Any], path: Path, schema: dict[str, Any]
) -> None:
    key = path[-1]
    parent = ".".join(path[:-1])
    if len(key) < 4 or not model_has(model, path):
        return
    for misspelled in dict.fromkeys(
        (key[:1] + key[2:], key[:-2] + key[-1] + key[-2], key.replace("_", "-"), key + "x")
    ):
        if misspelled == key:
            continue
        valid = value_at(base, path) if value_at(base, path) is not None else {}
        printed = lines(model, with_value(base, path, valid, key=misspelled))
        where = f"{parent}.{misspelled}" if parent else misspelled
        about = [line for line in printed if line.startswith(f"f.yaml: {where}: ")]
        assert len(about) == 1, printed
        for line in printed:
            assert_clear(line)
        hint = re.search(r"did you mean (.+)\?", about[0])
        assert hint is None or hint[1] == key, about[0]
        assert hint is not None or key in about[0] or "schema.json" in about[0], about[0]
        assert not any(line.startswith(f"f.yaml: {'.'.join(path)}: missing") for line in printed), printed


def model_has(model: type[BaseModel], path: Path) -> bool:
    """Whether the last key is one of a model, and not of a map."""
    return path[-1] in schema_at(model, path[:-1]).get("properties", {})


def value_at(base: dict[str, Any], path: Path) -> Any:
    here: Any = base
    for part in path:
        here = here.get(part) if isinstance(here, dict) else None
    return here


def mutated(document: dict[str, Any], path: Path, key: str, value: object) -> dict[str, Any]:
    """The document with another key and value at a path, in the same place."""
    name, *rest = path
    return {
        (key if item == name and not rest else item): (
            content if item != name else mutated(content, tuple(rest), key, value) if rest else value
        )
        for item, content in document.items()
    }


@st.composite
def mistakes(draw: st.DrawFn) -> tuple[type[BaseModel], dict[str, Any], Path]:
    """A model, a document of it with one mistake, and the keys of the mistake."""
    model, base = draw(st.sampled_from([*DOCUMENTS.values()]))
    optional = [key for key in base if key not in schema_of(model)["required"]]
    kept = draw(st.sets(st.sampled_from(optional))) if optional else set()
    document = {key: value for key, value in base.items() if key in kept or key not in optional}
    assume(not lines(model, document))
    present = [(path, schema) for path, schema in fields(model, document) if value_at(document, path) is not None]
    path, schema = draw(st.sampled_from(present))
    if draw(st.booleans()) and model_has(model, path):
        key = f"{path[-1]}{draw(st.sampled_from('xyz'))}"
        return model, mutated(document, path, key, value_at(document, path)), (*path[:-1], key)
    kinds = [value for kind, value in OF_TYPE.items() if kind not in (schema.get("type"), "integer", "number")]
    return model, mutated(document, path, path[-1], draw(st.sampled_from(kinds))), path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(mistake=mistakes())
def test_one_mistake_is_one_line_with_its_line_and_its_key(
    mistake: tuple[type[BaseModel], dict[str, Any], Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    model, wrong, path = mistake
    file = tmp_path_factory.mktemp("document") / "f.yaml"
    file.write_text(dump_yaml(wrong))
    line = 0
    for depth, key in enumerate(path):  # keys are indented by two in what is written
        pattern = re.compile(rf"{'  ' * depth}['\"]?{re.escape(key)}['\"]?:")
        line = next(at for at, text in enumerate(dump_yaml(wrong).splitlines(), 1) if at > line and pattern.match(text))
    with pytest.raises(ConfigError) as caught:
        settings_from_json(model, json.dumps(read_yaml(file, "f.yaml")), "f.yaml", ())
    [message] = with_lines(str(caught.value), file.parent).splitlines()
    assert message.startswith(f"f.yaml:{line}: {'.'.join(path)}: ")
    assert_clear(message.replace(f":{line}: ", ": ", 1))
