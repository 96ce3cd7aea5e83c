"""Dates in YAML files are in quotes; without them, and as Pulumi rewrote them, they are refused with the fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checkout import copy

from atwork.environments import files
from infra.catalog import read_all as services_in
from infra.config import read_all
from infra.errors import ConfigError
from infra.yaml_files import read_yaml

UNQUOTED = "a date without quotes, which Pulumi rewrites when it saves the file; write"
OF_TYPE = "must not be of the YAML type"
REWRITTEN = "Pulumi has rewritten a date that was not in quotes; write"


def mistakes(folder: Path, text: str) -> list[str]:
    file = folder / "f.yaml"
    file.write_text(text)
    try:
        read_yaml(file, "stacks/f.yaml")
    except ConfigError as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 2027-06-30", [f'stacks/f.yaml:1: a: {UNQUOTED} "2027-06-30"']),
        ("a:\n  b: [x, 2027-06-30]", [f'stacks/f.yaml:2: a.b.1: {UNQUOTED} "2027-06-30"']),
        ("a: {b: 2027-01-31T18:00:00Z}", [f'stacks/f.yaml:1: a.b: {UNQUOTED} "2027-01-31T18:00:00Z"']),
        ("2027-06-30: a", [f'stacks/f.yaml:1: 2027-06-30: {UNQUOTED} "2027-06-30"']),
        (
            "a: 2027-06-30\nb: 2027-07-30",
            [
                f'stacks/f.yaml:{line}: {key}: {UNQUOTED} "2027-0{month}-30"'
                for line, key, month in ((1, "a", 6), (2, "b", 7))
            ],
        ),
        ("a: &x {b: 2027-06-30}\nc: *x", [f'stacks/f.yaml:1: a.b: {UNQUOTED} "2027-06-30"']),
        (
            "a: 2027-06-30 00:00:00 +0000 UTC",
            [f'stacks/f.yaml:1: a: {REWRITTEN} "2027-06-30" (a date) or "2027-06-30T00:00:00Z"'],
        ),
        ("a: '2027-01-31 18:00:00 +0000 UTC'", [f'stacks/f.yaml:1: a: {REWRITTEN} "2027-01-31T18:00:00Z"']),
        ("a: 2027-01-31 00:00:00 +0200 +0200", [f'stacks/f.yaml:1: a: {REWRITTEN} "2027-01-31T00:00:00+02:00"']),
        *(
            (
                f"a: !!{kind} {value}",
                [f"stacks/f.yaml:1: a: {OF_TYPE} {kind}; write a map, a list, text, a number or true"],
            )
            for kind, value in (("binary", "aGk="), ("set", "{a}"), ("omap", "[a: 1]"))
        ),
        ("a: '2027-06-30'\nb: \"2027-01-31T18:00:00Z\"\nc: since 2027-06-30\nd: [1, 1.5, true, null, '']", []),
        ("a: &a {b: c}\nd: {<<: *a}", []),
    ],
)
def test_each_date_without_quotes_is_named_with_its_line_and_the_fix(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    assert mistakes(tmp_path, text) == expected


def test_stack_files_and_services_are_held_to_it(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    staging, orders = folder / "stacks" / "Pulumi.staging.yaml", folder / "services" / "orders.yaml"
    read_all(folder / "stacks")
    services_in(folder / "services")
    staging.write_text(staging.read_text().replace('"2027-06-30"', "2027-06-30"))
    orders.write_text(orders.read_text().replace('"2027-02-01T09:00:00Z"', "2027-02-01T09:00:00Z"))
    key = r"config\.atwork:stack\.policies\.exemptions\.no-cluster-backup\.expires"
    with pytest.raises(ConfigError, match=rf"^stacks/Pulumi\.staging\.yaml:\d+: {key}: {UNQUOTED} \"2027-06-30\"$"):
        read_all(folder / "stacks")
    with pytest.raises(
        ConfigError, match=rf"^services/orders\.yaml:\d+: environments\.production\.rotation\.first: {UNQUOTED}"
    ):
        services_in(folder / "services")


def test_what_the_command_writes_is_in_quotes(tmp_path: Path) -> None:
    settings = {"environment": {"kind": "ephemeral", "expires_at": "2027-01-31T18:00:00Z"}}
    text = files.text_of("demo", settings, "staging")
    assert mistakes(tmp_path, text) == []
    assert "    expires_at: '2027-01-31T18:00:00Z'\n" in text.replace("      ", "    ")
    later = files.with_end(text, "2027-02-01T18:00:00Z", "f")
    assert mistakes(tmp_path, later) == []
    assert later == text.replace("'2027-01-31T18:00:00Z'", '"2027-02-01T18:00:00Z"').replace(
        "2027-01-31T18", "2027-02-01T18"
    )
    with pytest.raises(ConfigError, match="a date without quotes"):
        files.with_end(text.replace("'2027-01-31T18:00:00Z'", "2027-01-31T18:00:00Z"), "2027-02-01T18:00:00Z", "f")
