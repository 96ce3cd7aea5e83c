"""The commands and the YAML of the documentation are accepted by the command line and by the settings' models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import typer
import yaml
from support.checkout import ROOT
from support.pages import DOCS, PAGES, Block, blocks, calls, commands
from typer.main import get_command

from atwork.cli import app
from infra.catalog import read_all
from infra.company import CompanySettings
from infra.config import parse, read_file
from infra.errors import ConfigError
from infra.layout import stack_files
from infra.service_composition import complete
from infra.services import ServiceSettings
from infra.validation import settings_from_json
from infra.yaml_files import read_yaml

STACKS = stack_files(ROOT / "stacks")
SERVICES = ROOT / "services"
REPLACED = ("network", "project")
"""Keys whose parts exclude each other: a snippet replaces them and is not merged into them."""

GENERATED = DOCS / "reference"
"""Pages whose examples have tests of their own (tests/infra/reference)."""

SNIPPETS = [
    block for page in PAGES if not page.is_relative_to(GENERATED) for block in blocks(page) if block.language == "yaml"
]
COMMANDS = [(page, line, arguments) for page in PAGES for line, arguments in commands(page)]


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in more.items():
        mergeable = isinstance(value, dict) and isinstance(result.get(key), dict) and key not in REPLACED
        result[key] = merged(result[key], cast("dict[str, Any]", value)) if mergeable else value
    return result


def refused(text: str) -> str:
    """What the program says about a snippet; empty where it accepts it. The first line names the file."""
    document = cast("dict[str, Any]", yaml.safe_load(text))
    if {"apiVersion", "kind"} <= document.keys():
        return "" if document["metadata"]["name"] else "no name"
    file = text.splitlines()[0].removeprefix("# ").split()[0]
    try:
        if file == "stacks/platform.yaml":
            settings_from_json(CompanySettings, json.dumps(document), file, ())
        elif file.startswith("services/"):
            path = SERVICES / Path(file).name
            base = read_yaml(path, file) if path.exists() else {}
            settings_from_json(ServiceSettings, json.dumps(merged(base, document)), file, ())
        elif file.startswith("stacks/Pulumi."):
            stack = Path(file).stem.removeprefix("Pulumi.").replace("NAME", "staging")
            settings = merged(json.loads(read_file(STACKS[stack]) or ""), document)
            complete(stack, parse(stack, json.dumps(settings)), read_all(SERVICES))
        else:
            return "the first line does not name a file of stacks/ or services/"
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_a_snippet_is_accepted(snippet: Block) -> None:
    assert refused(snippet.text) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "# stacks/Pulumi.staging.yaml\ntenants: {orders: {owner: team-orders, accounts: [orders]}}\n",
            "has tenants.orders already",
        ),
        ("# stacks/Pulumi.staging.yaml\nclutser: {}\n", "unknown key"),
        ("# services/orders.yaml\nsecrets: 3\n", "secrets"),
        ("# stacks/platform.yaml\nlocation: europe-west1\n", "missing"),
        ("cluster: {}\n", "does not name a file"),
    ],
)
def test_a_wrong_snippet_is_refused(text: str, message: str) -> None:
    assert message in refused(text)


def misuse(arguments: list[str], *, mention: bool = False) -> str:
    """What the command line says about arguments; empty where it accepts them. Nothing runs.

    A command that is mentioned in a sentence, or has `…` in it, may lack arguments.
    """
    command: Any = get_command(app)
    names = ["atwork"]
    words = [word for word in arguments if word not in ("…", "[STACK…]")]
    while hasattr(command, "commands"):
        if not words or words == ["--help"]:
            return ""
        name, *words = words
        names.append(name)
        command = command.commands.get(name)
        if command is None:
            return f"no command {' '.join(names)}"
    try:
        command.make_context(" ".join(names), words)
    except typer.Exit:
        return ""
    except Exception as error:  # noqa: BLE001 - the base class of usage errors is not public
        if mention and type(error).__name__ == "MissingParameter":
            return ""
        describe = getattr(error, "format_message", None)
        return describe() if describe else repr(error)
    return ""


def test_there_are_commands_and_snippets() -> None:
    assert len(COMMANDS) > 50
    assert len(SNIPPETS) > 5


@pytest.mark.parametrize(("page", "line", "arguments"), COMMANDS, ids=[line for _, line, _ in COMMANDS])
def test_a_command_is_accepted(page: Path, line: str, arguments: list[str]) -> None:
    mention = not line.startswith("$ ") or "…" in line
    assert misuse(arguments, mention=mention) == "", f"{page.name}: {line}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("atwork environment mak demo", "no command atwork environment mak"),
        ('eval "$(atwork sandbox envv)"', "no command atwork sandbox envv"),
        ("X=1 atwork preview --vales none | cat", "--vales"),
        ("atwork preview --values some", "some"),
        ("atwork sandbox kubeconfig > file", "ENVIRONMENT"),
    ],
)
def test_a_wrong_command_is_refused(line: str, message: str) -> None:
    (arguments,) = calls(line)
    assert message.lower() in misuse(arguments).lower()
