"""Values that programs read differently are refused, and text of this kind is written in quotes."""

from __future__ import annotations

import pytest
import yaml

from infra.errors import ConfigError
from infra.yaml_dump import dump_yaml
from infra.yaml_files import parse_yaml

TWO_MEANINGS = {
    "10:00": '10:00 is 600 in YAML 1.1 and text in YAML 1.2; write 600 or "10:00"',
    "yes": 'yes is true in YAML 1.1 and text in YAML 1.2; write true or "yes"',
    "Off": 'Off is false in YAML 1.1 and text in YAML 1.2; write false or "Off"',
    "010": '010 is 8 in YAML 1.1 and 10 in YAML 1.2; write 8 or 10 or "010"',
    "0o17": '0o17 is text in YAML 1.1 and 15 in YAML 1.2; write 15 or "0o17"',
    "0b11": '0b11 is 3 in YAML 1.1 and text in YAML 1.2; write 3 or "0b11"',
    "1_000": '1_000 is 1000 in YAML 1.1 and text in YAML 1.2; write 1000 or "1_000"',
    "1e3": '1e3 is text in YAML 1.1 and 1000.0 in YAML 1.2; write 1000.0 or "1e3"',
    "12345e67": '12345e67 is text in YAML 1.1 and 1.2345e+71 in YAML 1.2; write 1.2345e+71 or "12345e67"',
    ".inf": 'is no number that JSON has; write a number, or ".inf" in quotes',
}


@pytest.mark.parametrize(("text", "message"), TWO_MEANINGS.items())
def test_a_value_with_two_meanings_is_refused_as_a_value_and_as_a_key(text: str, message: str) -> None:
    for document, key in ((f"a: {text}", "a"), (f"a:\n - {text}", "a.0"), (f"{text}: a", text)):
        with pytest.raises(ConfigError) as caught:
            parse_yaml(document, "f.yaml")
        assert str(caught.value) == f"f.yaml:{document.count(chr(10)) + 1}: {key}: {message}"
    assert parse_yaml(f'a: "{text}"', "f.yaml") == {"a": text}


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-7",
        "1.5",
        "0x1f",
        "1.5e+3",
        "true",
        "FALSE",
        "null",
        "~",
        "3.11.7",
        "10.0.0.0/20",
        "-",
        "on-call",
        "norway",
        "1.4.0-17.g1a2b3c4d",
    ],
)
def test_a_value_with_one_meaning_is_read(text: str) -> None:
    assert parse_yaml(f"a: {text}x" if text == "-" else f"a: {text}", "f.yaml")


@pytest.mark.parametrize("text", [*TWO_MEANINGS, "2027-06-30", "true", "a: b", "#x", "é"])
def test_text_is_written_so_that_it_is_read_again(text: str) -> None:
    written = dump_yaml({"a": text, text: ["b", text]})
    assert parse_yaml(written, "f.yaml") == {"a": text, text: ["b", text]}


def test_files_of_other_programs_have_their_own_rules() -> None:
    """GitHub's workflows have the key `on`, and charts have dates."""
    assert parse_yaml("on: {x: yes}\ncreated: 2027-06-30", "f", foreign=True) == yaml.safe_load(
        "on: {x: yes}\ncreated: 2027-06-30"
    )
