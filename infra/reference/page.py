"""The pages of docs/reference, generated from the models of the settings and their examples by `make schema`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from infra.config import STACKS
from infra.reference.sections import SettingsSection, sections
from infra.stack import StackConfig

REFERENCE = STACKS.parent / "docs" / "reference"
_NOTE = "<!-- Generated from the settings' models by `make schema`; edit their descriptions instead. -->"
_WIDTH = 120
Schema = dict[str, Any]


def pages() -> dict[Path, str]:
    """The text of each page."""
    texts = {REFERENCE / f"{section.name}.md": _page(section) for section in sections()}
    return {REFERENCE / "README.md": _index(), **texts}


def _index() -> str:
    schema = StackConfig.model_json_schema()
    names = {section.key: section.name for section in sections() if section.key}
    lines = [
        _NOTE,
        "",
        "# Settings",
        "",
        *_wrapped(
            "Every setting of the three kinds of files, with its type, its default and two examples: one with the "
            "fewest settings and one with as many as possible."
        ),
        "",
        "## Files",
        "",
        "| File | What |",
        "| --- | --- |",
        "| `stacks/Pulumi.NAME.yaml` | an environment; its sections are listed below |",
    ]
    lines += [
        f"| [`{section.file}`]({section.name}.md) | {_summary(section)} |" for section in sections() if not section.key
    ]
    lines += ["", "## Sections of a stack file", "", *_HEADER]
    for key, setting in sorted(schema["properties"].items()):
        shown = f"[`{key}`]({names[key]}.md)" if key in names else f"`{key}`"
        lines.append(_row(shown, setting, schema, required=key in schema["required"]))
    return "\n".join(lines) + "\n"


def _summary(section: SettingsSection) -> str:
    return " ".join((section.model.__doc__ or "").partition("\n\n")[0].split()).removesuffix(".")


def _page(section: SettingsSection) -> str:
    schema = section.model.model_json_schema()
    lines = [_NOTE, "", f"# `{section.name}`", "", *_wrapped(_summary(section) + "."), ""]
    where = f"A section of `{section.file}`." if section.key else f"The settings of `{section.file}`."
    lines += [where, "", "## Settings", "", *_table(schema, schema)]
    for name, part in sorted(_parts(schema).items()):
        lines += [
            "",
            f"## {name}",
            "",
            *_wrapped(str(part["description"]).partition("\n\n")[0]),
            "",
            *_table(part, schema),
        ]
    lines += ["", "## Examples", ""]
    for name, path in section.examples().items():
        lines += [f"### {name.capitalize()}", "", "```yaml", path.read_text().rstrip("\n"), "```", ""]
    return "\n".join(lines)


def _parts(schema: Schema) -> Schema:
    """The models in a model, by name."""
    return {name: part for name, part in schema.get("$defs", {}).items() if "properties" in part}


_HEADER = ("| Setting | Type | Default | Description |", "| --- | --- | --- | --- |")


def _table(model: Schema, root: Schema) -> Iterator[str]:
    yield from _HEADER
    for key, setting in model["properties"].items():
        yield _row(f"`{key}`", setting, root, required=key in model.get("required", ()))


def _row(key: str, setting: Schema, root: Schema, *, required: bool) -> str:
    description = " ".join(str(setting.get("description", "")).split())
    cells = (key, _type(setting, root), "required" if required else _default(setting, root), description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(setting: Schema, root: Schema) -> str:
    value = setting.get("default")
    if value is None or value == {}:
        return "not set"
    parts = _properties(setting, root)
    if parts and all(part.get("default", {}) == value[key] for key, part in parts.items()):
        return "its defaults"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _properties(setting: Schema, root: Schema) -> Schema:
    """The settings in a setting."""
    references = [choice["$ref"] for choice in (setting, *setting.get("anyOf", ())) if "$ref" in choice]
    return root["$defs"][_name(references[0])].get("properties", {}) if references else {}


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _type(setting: Schema, root: Schema) -> str:
    """The type and constraints of a setting in words."""
    match setting:
        case {"$ref": reference}:
            name = _name(reference)
            linked = name in _parts(root) and root.get("title") != StackConfig.__name__
            return f"[{name}](#{name.lower()})" if linked else "section"
        case {"anyOf": choices}:
            return " or ".join(_type(choice, root) for choice in choices if choice != {"type": "null"})
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in cast("list[str]", values))
        case {"type": "array"}:
            return f"list of {_type(setting.get('items', {}), root)}{_least(setting, 'minItems')}"
        case {"type": "object"}:
            values = [*setting.get("patternProperties", {}).values(), setting.get("additionalProperties", {})]
            return f"map of names to {_type(values[0], root)}{_least(setting, 'minProperties')}"
        case {"type": "integer" | "number"}:
            return _number(setting)
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"format": "date-time"}:
            return f"date and time, such as `{_example(setting, '2027-01-31T18:00:00Z')}`"
        case {"format": "date"}:
            return f"date, such as `{_example(setting, '2027-06-30')}`"
        case _:
            return _text(setting)


def _least(setting: Schema, key: str) -> str:
    return f", at least {setting[key]}" if key in setting else ""


def _example(setting: Schema, otherwise: str) -> str:
    return str(setting.get("examples", [otherwise])[0])


def _number(setting: Schema) -> str:
    kind = "integer" if setting["type"] == "integer" else "number"
    match setting:
        case {"minimum": least, "maximum": most}:
            return f"{kind}, {least} to {most}"
        case {"exclusiveMinimum": bound, "maximum": most}:
            return f"{kind}, more than {bound}, {most} at most"
        case _:
            return kind


def _text(setting: Schema) -> str:
    if words := setting.get("patternErrorMessage"):
        return words.removeprefix("write ")
    if examples := setting.get("examples"):
        return f"text, such as `{examples[0]}`"
    return f"text that matches `{setting['pattern']}`" if "pattern" in setting else "text"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
