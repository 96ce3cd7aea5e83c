"""What the runbooks name exists: the settings of stack files, and the commands and flags of kubectl.

The commands of `atwork` are checked in all pages (tests/docs/test_snippets.py).
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support import programs
from support.pages import DOCS, blocks, calls

from atwork.toolchain.machine import PROGRAMS
from infra.company import CompanySettings
from infra.schema_paths import schema_at
from infra.services import ServiceSettings
from infra.stack import StackConfig

MODELS = (StackConfig, ServiceSettings, CompanySettings)
RUNBOOKS = sorted((DOCS / "runbooks").rglob("*.md"))
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_NOBODY = ("--kubeconfig=/dev/null", "--server=http://127.0.0.1:1")
"""A port on which nothing listens: kubectl reads its arguments first."""
_ASKED = re.compile(r"connection to the server 127\.0\.0\.1:1 was refused|127\.0\.0\.1:1: connect: connection refused")
_OBJECT = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "a"}}'
"""What `-f -` reads."""


def code(page: Path) -> list[str]:
    """What is between backticks in the sentences of a page, on one line."""
    return [" ".join(span.split()) for span in _CODE.findall(_FENCED.sub("", page.read_text()))]


def kubectl(page: Path) -> list[list[str]]:
    """Arguments of each call of kubectl in a page; one that is only mentioned has no more than its command."""
    typed = [line.strip() for block in blocks(page) for line in block.text.splitlines()]
    lines = [line.removeprefix("$ ") for line in typed if line.startswith("$ ")]
    lines += [span.replace(r"\|", "|") for span in code(page) if "kubectl " in span and "…" not in span]
    return [arguments for line in lines for arguments in calls(line, ("kubectl",)) if len(arguments) > 1]


def names(schema: Any) -> set[str]:
    """The names of all settings in a schema."""
    if isinstance(schema, list):
        return {name for item in schema for name in names(item)}
    if not isinstance(schema, dict):
        return set()
    own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set[str]()
    return own | names(list(schema.values()))


NAMES = {name for model in MODELS for name in names(model.model_json_schema())}


def unknown(word: str) -> bool:
    """Whether a dotted word begins like a setting, and no file has such a setting; capitals are any name."""
    path = [part.lower() for part in word.split(".")]
    if not re.fullmatch(r"[A-Za-z_]+(\.[A-Za-z_]+)+", word) or path[0] not in NAMES:
        return False
    return not any(schema_at(model, path) for model in MODELS)


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_every_setting_exists(page: Path) -> None:
    assert [word for word in code(page) if unknown(word)] == []


def test_a_setting_without_the_keys_above_it_is_unknown() -> None:
    assert unknown("library.version")
    assert unknown("network.nat.ports")
    assert not unknown("jenkins.library.version")
    assert not unknown("node_pools.NAME.max_nodes")
    assert not unknown("google.iam.admin")


def refused(arguments: list[str]) -> str:
    """Why kubectl does not take arguments; empty where it goes on to ask the server."""
    index = arguments.index("--") if "--" in arguments else len(arguments)
    command = [str(PROGRAMS["kubectl"].path), *arguments[:index], *_NOBODY, *arguments[index:]]
    done = subprocess.run(command, input=_OBJECT, capture_output=True, text=True, check=False)
    return "" if _ASKED.search(done.stderr) else done.stderr or done.stdout


def test_kubectl_takes_every_command() -> None:
    programs.need("kubectl")
    calls_of_pages = [arguments for page in RUNBOOKS for arguments in kubectl(page)]
    assert len(calls_of_pages) > 40
    assert [(arguments, error) for arguments in calls_of_pages if (error := refused(arguments))] == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kubectl -n jenkins get pods --selektor=a", "unknown flag"),
        ("kubectl rolout restart statefulset/jenkins", "unknown command"),
        ("kubectl -n jenkins rollout restrt statefulset/jenkins", "unknown command"),
        ("kubectl drain --force", "USAGE: drain NODE"),
    ],
)
def test_a_command_with_a_mistake_is_refused(line: str, message: str) -> None:
    programs.need("kubectl")
    [arguments] = calls(line, ("kubectl",))
    assert message in refused(arguments)
