"""Files that nothing reads because of their names are reported with the right name, and cause no other message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.checkout import copy
from support.environments import atwork

from infra.catalog import read_all as services_in
from infra.catalog import read_group
from infra.config import read_all
from infra.errors import ConfigError

ORDERS = "services/orders.yaml"
PRODUCTION = "stacks/Pulumi.production.yaml"


def moved(old: str, new: str) -> Callable[[Path], None]:
    def edit(checkout: Path) -> None:
        (checkout / new).parent.mkdir(exist_ok=True)
        (checkout / old).rename(checkout / new)

    return edit


def added(old: str, new: str) -> Callable[[Path], None]:
    def edit(checkout: Path) -> None:
        (checkout / new).parent.mkdir(exist_ok=True)
        (checkout / new).write_text((checkout / old).read_text())

    return edit


CASES = {
    "yml": (moved(PRODUCTION, "stacks/Pulumi.production.yml"), f"is not read; rename it to {PRODUCTION}"),
    "YAML": (moved(PRODUCTION, "stacks/Pulumi.production.YAML"), f"is not read; rename it to {PRODUCTION}"),
    "json": (moved(PRODUCTION, "stacks/Pulumi.production.json"), f"is not read; rename it to {PRODUCTION}"),
    "text": (moved(PRODUCTION, "stacks/Pulumi.production.yaml.txt"), f"is not read; rename it to {PRODUCTION}"),
    "small": (moved(PRODUCTION, "stacks/pulumi.production.yaml"), f"is not read; rename it to {PRODUCTION}"),
    "hyphen": (moved(PRODUCTION, "stacks/Pulumi-production.yaml"), f"is not read; rename it to {PRODUCTION}"),
    "no prefix": (moved(PRODUCTION, "stacks/production.yaml"), f"is not read; rename it to {PRODUCTION}"),
    "folder": (moved(PRODUCTION, "stacks/eu/Pulumi.production.yaml"), f"is not read; rename it to {PRODUCTION}"),
    "root": (moved(PRODUCTION, "Pulumi.production.yaml"), f"is not read; rename it to {PRODUCTION}"),
    "twice": (added(PRODUCTION, "stacks/Pulumi.production.yml"), f"is not read; {PRODUCTION} is; remove this one"),
    "project": (added("Pulumi.yaml", "Pulumi.json"), "Pulumi reads it in place of Pulumi.yaml; remove it"),
    "second project": (added("Pulumi.yaml", "Pulumi.yml"), "is not read; Pulumi.yaml is; remove this one"),
    "platform": (
        added("stacks/platform.yaml", "stacks/platform.yml"),
        "is not read; stacks/platform.yaml is; remove this one",
    ),
    "service": (moved(ORDERS, "services/orders.yml"), f"is not read; rename it to {ORDERS}"),
    "service as JSON": (moved(ORDERS, "services/orders.json"), f"is not read; rename it to {ORDERS}"),
    "service of a group": (
        moved(ORDERS, "services/shop/orders.yml"),
        "is not read; rename it to services/shop/orders.yaml",
    ),
}


def new_file(checkout: Path, before: set[Path]) -> str:
    [path] = {path for path in checkout.rglob("*") if path.is_file()} - before
    return path.relative_to(checkout).as_posix()


@pytest.mark.parametrize(("edit", "message"), CASES.values(), ids=CASES)
def test_a_file_that_nothing_reads_is_one_line(
    edit: Callable[[Path], None], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = copy(tmp_path / "checkout")
    before = {path for path in checkout.rglob("*") if path.is_file()}
    edit(checkout)
    line = f"{new_file(checkout, before)}: {message}"
    monkeypatch.chdir(checkout)
    assert atwork("check").output.splitlines() == [line]
    read = services_in if "services" in line.partition(":")[0] else read_all
    with pytest.raises(ConfigError) as caught:
        read(checkout / ("services" if read is services_in else "stacks"))
    assert str(caught.value) == line
    for command in (["list"], ["new", "demo"], ["extend", "staging", "--ttl", "2d"]):
        if read is read_all:
            assert line in str(atwork(*command).exception)


def test_another_group_is_read_all_the_same(tmp_path: Path) -> None:
    """A group's stack reports files of all groups: a file that nothing reads may be one of its own."""
    checkout = copy(tmp_path / "checkout")
    added(ORDERS, "services/stock.yml")(checkout)
    with pytest.raises(ConfigError, match=r"^services/stock\.yml: is not read; rename it to services/stock\.yaml$"):
        read_group(checkout / "services", "shop")


@pytest.mark.parametrize("name", [".#orders.yaml", "._orders.yaml", ".orders.yaml.swp", "README.md", "orders.yaml~"])
def test_files_of_editors_and_systems_are_no_service_files(name: str, tmp_path: Path) -> None:
    checkout = copy(tmp_path / "checkout")
    (checkout / "services" / name).symlink_to("nowhere")
    (checkout / "stacks" / name).write_bytes(b"\0")
    assert services_in(checkout / "services").keys() == {"orders"}
    assert "staging" in read_all(checkout / "stacks")


@pytest.mark.parametrize("name", ["QA", "my env", "x", "a-name-that-is-far-too-long", "2nd"])
def test_an_environment_has_a_name_that_its_objects_can_have(name: str, tmp_path: Path) -> None:
    checkout = copy(tmp_path / "checkout")
    added("stacks/Pulumi.staging.yaml", f"stacks/Pulumi.{name}.yaml")(checkout)
    with pytest.raises(ConfigError) as caught:
        read_all(checkout / "stacks")
    assert str(caught.value) == (
        f"stacks/Pulumi.{name}.yaml: the environment is called as its file, 2 to 20 lower-case letters, digits and "
        "hyphens, a letter first; rename the file"
    )
