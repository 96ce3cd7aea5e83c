"""Edits of YAML files: one entry changes, every other character stays, and what cannot be edited stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from atwork.errors import ConfigError
from atwork.yaml_edits import YamlText, edit_file, write_file
from infra.yaml_files import parse_yaml

BLOCK = """\
# head
a:   # what a is
    first: {x: 1,  y: [ 1, 2 ]}   # one
    # about second
    second:
          deep: >-
             folded
             text
          # end of second
    "third": 'quoted'


b: [1,
    2]
"""
"""Indented by four, with folded text, blank lines and comments: what libraries write in another way."""
FLOW = "a: {first: {x: 1, y: [1, 2]},   second: {deep: text}, third: quoted}   # kept\nb: 1\n"
STYLES = {
    "block": BLOCK,
    "flow": FLOW,
    "CRLF": BLOCK.replace("\n", "\r\n"),
    "flow and CRLF": FLOW.replace("\n", "\r\n"),
    "no end of line": BLOCK.rstrip("\n"),
    "lines in braces": "a: {\n  first: 1,  # one\n  second: 2,\n  third: 3,\n}\n",
    "JSON": '{"a": {"first": 1, "second": 2, "third": 3}, "b": 1}\n',
}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
def test_an_entry_is_added_and_removed_without_a_trace(text: str) -> None:
    data = parse_yaml(text, "f")
    added = YamlText(text, "f").with_entry(["a"], "new", "{x: [1], y: z}")
    assert parse_yaml(added, "f") == {**data, "a": {**data["a"], "new": {"x": [1], "y": "z"}}}
    assert YamlText(added, "f").without_entry(["a"], "new") == text


@pytest.mark.parametrize("key", ["first", "second", "third"])
@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
def test_one_entry_is_removed(text: str, key: str) -> None:
    data = parse_yaml(text, "f")
    removed = YamlText(text, "f").without_entry(["a"], key)
    assert parse_yaml(removed, "f") == {**data, "a": {name: value for name, value in data["a"].items() if name != key}}
    lines = text.splitlines()
    assert all(line in lines or line.startswith("a: {") or '"a"' in line for line in removed.splitlines())
    assert ("\r\n" in removed) == ("\r\n" in text)


@pytest.mark.parametrize("key", ["first", "second", "third"])
@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
def test_one_value_changes(text: str, key: str) -> None:
    data = parse_yaml(text, "f")
    changed = YamlText(text, "f").with_value(["a"], key, '"10:00"')
    assert parse_yaml(changed, "f") == {**data, "a": {**data["a"], key: "10:00"}}
    assert changed.count("#") == text.count("#") - ("# end of second" in text and key == "second")


@pytest.mark.parametrize("key", ["on", "no", "123", "1e3", "null", "a: b", "x,y"])
@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
def test_a_key_that_yaml_reads_as_something_else_is_in_quotes(text: str, key: str) -> None:
    added = YamlText(text, "f").with_entry(["a"], key, "1")
    assert parse_yaml(added, "f")["a"][key] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x: &x {first: 1}\na: *x\n",
            "f: its anchors or its format keep the command from changing it; a: add `new: 1`",
        ),
        ("a: [1]\n", "f: its anchors or its format keep the command from changing it; a: add `new: 1`"),
        ("b: 1\n", "f: a is missing; add it"),
        ("a: {\n", "f:2: not YAML: did not find expected node content; close the bracket"),
    ],
)
def test_what_cannot_be_edited_is_one_line_with_what_to_write(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        edit_file(file, "f", lambda content: YamlText(content, "f").with_entry(["a"], "new", "1"))
    assert str(caught.value) == message
    assert file.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["f.yaml"]


def test_an_edit_keeps_line_ends_the_mode_and_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real.yaml", tmp_path / "f.yaml"
    file.write_bytes(STYLES["CRLF"].encode())
    file.chmod(0o640)
    link.symlink_to(file.name)
    edit_file(link, "f", lambda text: YamlText(text, "f").with_entry(["a"], "new", "1"))
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    content = file.read_bytes()
    assert b"    new: 1\r\n" in content
    assert content.replace(b"    new: 1\r\n", b"") == STYLES["CRLF"].encode()
    write_file(tmp_path / "new.yaml", "a: 1\n")
    assert (tmp_path / "new.yaml").read_text() == "a: 1\n"
