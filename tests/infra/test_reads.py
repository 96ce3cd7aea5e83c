"""The program reads each file once and validates the settings of each file once, in a stack with Jenkins and in others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra import CONFIG_KEY, catalog, company, config
from infra.config import STACKS, read_file
from infra.environment import Environment
from infra.layout import stack_file, stack_files
from infra.validation import settings_from_json
from infra.yaml_files import read_yaml


@pytest.mark.parametrize("stack", ["ci", "staging"])
def test_the_start_of_the_program_refuses_a_second_read(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = read_file(stack_file(STACKS, stack))
    reads: Counter[str] = Counter()
    validations: Counter[str] = Counter()

    def read_once(path: Path, shown: str) -> dict[str, Any]:
        reads[shown] += 1
        assert reads[shown] == 1, f"{shown} is read twice"
        return read_yaml(path, shown)

    def validate_once(model: Any, content: str, file: str, prefix: tuple[str, ...]) -> Any:
        validations[file] += 1
        assert validations[file] == 1, f"{file} is validated twice"
        return settings_from_json(model, content, file, prefix)

    for module in (config, catalog, company):
        monkeypatch.setattr(module, "read_yaml", read_once)
        monkeypatch.setattr(module, "settings_from_json", validate_once)
    monkeypatch.setattr(pulumi, "get_stack", lambda: stack)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(STACKS.parent))
    pulumi.runtime.set_all_config({CONFIG_KEY: text})
    Environment.current()

    expected = {f"stacks/{path.name}" for path in stack_files(STACKS).values()}
    expected |= {f"services/{path.name}" for path in (STACKS.parent / "services").glob("*.yaml")}
    expected |= {company.FILE}  # for Jenkins, and for the links of notifications to runbooks
    assert reads.keys() == validations.keys() == expected


def test_the_settings_that_the_engine_provides_replace_those_of_the_file() -> None:
    files = config.read_all()
    ci = read_file(stack_file(STACKS, "ci"))
    environments = config.read_all(texts={"ci": ci.replace(files["ci"].project.id, "acme-other-ci"), "new": ci})
    assert environments["ci"].project.id == "acme-other-ci"
    assert environments["new"] == files["ci"]
    assert environments["staging"] == files["staging"]
