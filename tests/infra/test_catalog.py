"""The catalog in groups: the folder of a service's file is its group."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from infra.catalog import groups, read_all, read_group
from infra.errors import ConfigError
from infra.layout import group_files, separate_groups, stack_files
from infra.stack_name import StackName


def write(folder: Path, *files: str, **changes: object) -> Path:
    """A catalog with these files, each a valid service with a repository of its own."""
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        service = {
            "owner": "team-stock",
            "repository": f"https://github.com/acme/{file.replace('/', '-').removesuffix('.yaml')}",
            "channel": "#team-stock",
            "environments": {"staging": {}},
            **changes,
        }
        path.write_text(yaml.safe_dump(service))
    return folder


def test_a_folder_is_a_group_and_the_top_level_is_the_default_group(tmp_path: Path) -> None:
    catalog = write(tmp_path, "orders.yaml", "payments/stock.yaml", "payments/ledger.yaml", "search/index.yaml")
    services = read_all(catalog)
    assert {name: (service.group, service.file) for name, service in services.items()} == {
        "orders": ("default", "services/orders.yaml"),
        "ledger": ("payments", "services/payments/ledger.yaml"),
        "stock": ("payments", "services/payments/stock.yaml"),
        "index": ("search", "services/search/index.yaml"),
    }
    assert groups(catalog) == ["default", "payments", "search"]
    assert [*read_group(catalog, "payments")] == ["ledger", "stock"]
    assert [*read_all(catalog, without={"default", "payments"})] == ["index"]


def test_a_broken_file_stops_only_its_own_group(tmp_path: Path) -> None:
    catalog = write(tmp_path, "orders.yaml", "payments/stock.yaml")
    (catalog / "payments" / "broken.yaml").write_text("ownr: x\n")
    with pytest.raises(ConfigError, match=r"services/payments/broken\.yaml: ownr: unknown key"):
        read_group(catalog, "payments")
    with pytest.raises(ConfigError, match=r"services/payments/broken\.yaml"):
        read_all(catalog)
    assert [*read_group(catalog, "default")] == ["orders"]


def test_a_service_has_one_name_in_all_groups(tmp_path: Path) -> None:
    catalog = write(tmp_path, "stock.yaml", "payments/stock.yaml")
    with pytest.raises(ConfigError, match=r"services/payments/stock\.yaml: services/stock\.yaml has the name stock"):
        read_all(catalog)


def test_groups_share_no_repository(tmp_path: Path) -> None:
    catalog = write(tmp_path, "stock.yaml", "payments/ledger.yaml", repository="https://github.com/acme/same")
    with pytest.raises(
        ConfigError,
        match=r"services/payments/ledger\.yaml: repository: \S+ is services/stock\.yaml's already; choose another",
    ):
        read_all(catalog)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("default/stock.yaml", r"services/default: this group is that of the files in services; move its files there"),
        ("Team_A/stock.yaml", r"services/Team_A: the folder's name is the group's: at most 40 .* rename it"),
        ("pay/deep/stock.yaml", r"services/pay/deep/stock\.yaml: a group has no folders; move it to services/pay"),
    ],
)
def test_a_folder_that_is_no_group_is_an_error(file: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        read_all(write(tmp_path, file))


def test_the_name_of_a_stack_says_its_environment_and_its_group(tmp_path: Path) -> None:
    for name in ("staging", "staging.payments", "production.payments"):
        (tmp_path / f"Pulumi.{name}.yaml").touch()
        assert str(StackName.parse(name)) == name
    assert [*stack_files(tmp_path)] == ["staging"]
    assert [*group_files(tmp_path)] == [StackName("production", "payments"), StackName("staging", "payments")]
    assert separate_groups(tmp_path, "staging") == {"payments"}
    assert separate_groups(tmp_path, "qa") == frozenset()
