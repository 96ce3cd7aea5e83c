"""Which stacks a change reaches: what the programs open, what they declare, and what is left out."""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.groups import GROUP_FILE, group_stack
from support.mocks import Recording
from support.program import run_stack

from infra.config import STACKS
from infra.layout import group_files, stack_file
from infra.reach import UNREAD_FILES, UNREAD_FOLDERS, UNREAD_SUFFIXES, reach
from infra.stack_name import StackName

ROOT = STACKS.parent
NAMES = ["ci", "ci.payments", "staging", "staging.payments", "production", "production.payments", "demo"]


@pytest.mark.parametrize(
    ("paths", "reached"),
    [
        (["services/payments/ledger.yaml"], ["ci.payments", "staging.payments", "production.payments", "demo"]),
        (["services/orders.yaml"], ["ci", "staging", "production", "demo"]),
        (["services/search/index.yaml"], ["ci", "staging", "production", "demo"]),
        (["services/orders.yaml", "services/payments/orders.yaml"], NAMES),
        (["stacks/Pulumi.staging.payments.yaml"], ["staging", "staging.payments"]),
        (["docs/first-day.md", "README.md", "tests/infra/test_reach.py", "delivery/vars/slack.groovy"], []),
        (["services/schema.json", "stacks/schema.json", "services/payments/README.md"], []),
        ([], []),
    ],
)
def test_a_file_reaches_the_stacks_whose_program_reads_it(paths: list[str], reached: list[str]) -> None:
    result = reach(paths, NAMES)
    assert [*result.reached] == reached
    assert [*result.left_out] == [name for name in NAMES if name not in reached]


@pytest.mark.parametrize(
    "path",
    [
        "components/tenant.py",
        "infra/services.py",
        "policies/pack.py",
        "stacks/Pulumi.staging.yaml",
        "stacks/platform.yaml",
        "requirements/run.txt",
        "pyproject.toml",
        "Pulumi.yaml",
        "atwork/cli.py",
        "delivery/jobs/services.groovy",
        "services/payments/deep/x.yaml",
        "services/x.yml",
        "a-new-file",
        "docs",
    ],
)
def test_whatever_is_not_known_reaches_every_stack(path: str) -> None:
    result = reach(["docs/traps.md", path], NAMES)
    assert (result.reached, result.left_out, result.everything) == (tuple(NAMES), (), path)


_watchers: list[list[str]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _watchers and event == "open" and isinstance(arguments[0], str):
        for opened in _watchers:
            opened.append(arguments[0])


sys.addaudithook(_note)  # it stays until the end of the process


@pytest.mark.parametrize("stack", ["ci", "staging", "production"])
def test_no_program_reads_what_is_said_to_be_unread(stack: str) -> None:
    opened: list[str] = []
    _watchers.append(opened)
    try:
        run_stack(stack)
    finally:
        _watchers.remove(opened)
    paths = [Path(path).relative_to(ROOT) for path in opened if Path(path).is_relative_to(ROOT)]
    data = {path.as_posix() for path in paths if path.suffix not in {".py", ".pyc"}}
    assert {"services/orders.yaml", "stacks/Pulumi.staging.yaml"} <= data
    unread = tuple(f"{folder}/" for folder in UNREAD_FOLDERS)
    assert {path for path in data if path in UNREAD_FILES or path.startswith(unread)} == set()
    assert ("delivery/jobs/services.groovy" in data) == (stack == "ci")
    assert {path for path in data if Path(path).suffix in UNREAD_SUFFIXES} == set()


def catalog(folder: Path) -> Path:
    """Two groups with stacks of their own, one of them in all environments and one without staging's, and a third."""
    for name in ("stacks", "services"):
        shutil.copytree(ROOT / name, folder / name)
    for group, environments in {"payments": ("ci", "staging", "production"), "search": ("ci", "production")}.items():
        for environment in environments:
            write_group(folder, f"{environment}.{group}")
    for number, file in enumerate(("payments/ledger", "payments/invoice", "search/index", "shop/cart", "shop/desk")):
        write(folder, file, number)
    return folder


def write_group(folder: Path, stack: str) -> None:
    stack_file(folder / "stacks", stack).write_text(yaml.safe_dump(GROUP_FILE))


def write(folder: Path, file: str, number: int, **changes: Any) -> None:
    path = folder / "services" / f"{file}.yaml"
    path.parent.mkdir(exist_ok=True)
    service = {
        "owner": "team-shop",
        "repository": f"https://github.com/acme/{path.stem}",
        "channel": "#team-shop",
        "environments": {"staging": {}, "production": {}} if number % 2 else {"staging": {}},
        **changes,
    }
    path.write_text(yaml.safe_dump(service))


def declared(folder: Path) -> dict[str, Any]:
    """What the program of each stack declares, as plain data."""
    environments = ("ci", "staging", "production")
    own = {name: run_stack(name, root=folder) for name in environments}
    groups = {str(stack): group_stack(folder, str(stack), own[stack.environment]) for stack in stacks_of_groups(folder)}
    return {name: plain(recording) for name, recording in (own | groups).items()}


def stacks_of_groups(folder: Path) -> list[StackName]:
    return list(group_files(folder / "stacks"))


def plain(recording: Recording) -> dict[str, Any]:
    return {urn: (item.inputs, item.protect, item.retain_on_delete) for urn, item in recording.resources.items()}


def change(folder: Path, chance: random.Random) -> list[str]:
    """A random change of service files or of a group's stack files; the paths that git would list."""
    services = folder / "services"
    files = sorted(path.relative_to(services).with_suffix("").as_posix() for path in services.glob("*/*.yaml"))
    match chance.choice(("add", "edit", "remove", "move", "separate", "join")):
        case "add":
            name = f"{chance.choice(('payments', 'search', 'shop'))}/new-{chance.randrange(1000)}"
            write(folder, name, chance.randrange(4), secrets=["token"])
            return [f"services/{name}.yaml"]
        case "edit":
            name = chance.choice(files)
            write(folder, name, chance.randrange(4), stores=["redis"], viewers=["team-shop@example.com"])
            return [f"services/{name}.yaml"]
        case "remove":
            name = chance.choice(files)
            (services / f"{name}.yaml").unlink()
            return [f"services/{name}.yaml"]
        case "separate":
            stack = f"{chance.choice(('ci', 'staging', 'production'))}.{chance.choice(('search', 'shop'))}"
            write_group(folder, stack)
            return [f"stacks/Pulumi.{stack}.yaml"]
        case "join":
            file = stack_file(folder / "stacks", str(chance.choice(stacks_of_groups(folder))))
            file.unlink()
            return [file.relative_to(folder).as_posix()]
        case _:
            name = chance.choice(files)
            target = f"{chance.choice(('payments', 'search', 'shop'))}/{name.rpartition('/')[2]}"
            (services / f"{name}.yaml").rename(services / f"{target}.yaml")
            return [f"services/{name}.yaml", f"services/{target}.yaml"]


@pytest.mark.parametrize("seed", [0, 1, 2, 5])  # between them, every kind of change
def test_no_stack_is_left_out_whose_program_declares_something_else(seed: int, tmp_path: Path) -> None:
    folder, chance = catalog(tmp_path), random.Random(seed)
    before = declared(folder)
    paths = [path for _ in range(chance.randrange(1, 3)) for path in change(folder, chance)]
    after = declared(folder)
    result = reach(paths, {**before, **after})
    different = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert different <= {*result.reached}, paths
    assert result.left_out, "something is left out"
