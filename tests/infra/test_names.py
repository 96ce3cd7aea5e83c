"""The environments under other names: the program makes the same resources, with the names replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import GOLDEN
from support import program
from support.checkout import ROOT, copy
from support.inventory import inventory
from support.renamed import NAMES, copy_renamed, rename_environments, renamed

from atwork.checkout import Checkout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rename_environments(copy(tmp_path_factory.mktemp("checkout")))


@pytest.mark.parametrize("stack", NAMES)
def test_the_inventory_of_a_renamed_environment_differs_by_the_name_alone(stack: str, checkout: Path) -> None:
    def outputs(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if token == "pulumi:pulumi:StackReference":
            return {"outputs": {"platform": renamed(program.PLATFORM)}}
        return program.cloud(token, name, inputs)

    recording = program.run_stack(NAMES[stack], root=checkout, outputs=outputs)
    expected = renamed(yaml.safe_load((GOLDEN / f"{stack}.yaml").read_text()))
    assert inventory(recording) == expected


def test_the_order_of_the_environments_does_not_depend_on_their_names(checkout: Path) -> None:
    assert Checkout(checkout).stack_names() == list(NAMES.values())


def test_the_copy_for_tests_under_other_names_has_the_same_product(tmp_path: Path) -> None:
    copy_renamed(tmp_path)
    assert Checkout(tmp_path).stack_names() == list(NAMES.values())
    assert str(tuple(NAMES.values())).replace("'", '"') in (tmp_path / "tests" / "support" / "checkout.py").read_text()
    assert (tmp_path / "tests" / "golden" / f"{NAMES['ci']}.yaml").exists()
    for folder in ("atwork", "components", "delivery", "infra", "policies", "tools"):
        copied = [path for path in (tmp_path / folder).rglob("*") if path.is_file()]
        assert copied
        for path in copied:
            assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes()
