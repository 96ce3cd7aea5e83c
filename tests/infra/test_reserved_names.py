"""Names that a service cannot have, repositories that are one, and namespaces that nobody creates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import callers
from infra.catalog import names, read_all
from infra.config import read_all as stacks_in
from infra.config import with_services
from infra.errors import ConfigError


def write(folder: Path, name: str, **changes: Any) -> None:
    service = {
        "owner": "team-stock",
        "repository": f"https://github.com/acme/{name}",
        "channel": "#team-stock",
        "environments": {"staging": {}},
        **changes,
    }
    (folder / f"{name}.yaml").parent.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(service))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("kube-system", "Kubernetes and GKE"),
        ("kube-tomorrow", "Kubernetes and GKE"),
        ("default", "Kubernetes and GKE"),
        ("gke-managed-system", "Kubernetes and GKE"),
        ("gke-managed-tomorrow", "Kubernetes and GKE"),
        ("gmp-system", "Kubernetes and GKE"),
        ("jenkins", "the delivery system"),
        ("jenkins-agents", "the delivery system"),
        ("jenkins-deploy-staging", "the delivery system"),
        ("platform", "the delivery system"),
        ("platform-previews", "the delivery system"),
        ("platform-changes", "the delivery system"),
        ("preview-1", "preview namespaces"),
        ("preview-janitor", "preview namespaces"),
        ("deployer", "the account that installs charts"),
    ],
)
def test_a_service_cannot_have_a_reserved_name(name: str, reason: str, tmp_path: Path) -> None:
    write(tmp_path, name)
    with pytest.raises(ConfigError, match=rf"^services/{name}\.yaml: the name is reserved for {reason}.*; rename"):
        read_all(tmp_path)


@pytest.mark.parametrize("name", ["platform-docs", "kubernetes-docs", "gke", "default-page", "jenkinsfile", "previews"])
def test_a_name_that_only_looks_reserved_is_free(name: str, tmp_path: Path) -> None:
    write(tmp_path, name)
    assert name in read_all(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        "https://github.com/acme/stock/",
        "https://github.com/acme/stock.git",
        "https://github.com/acme/stock.git/",
        "https://github.com/Acme/Stock",
    ],
)
def test_two_services_cannot_share_a_repository_however_it_is_written(other: str, tmp_path: Path) -> None:
    write(tmp_path, "other", repository=other)
    write(tmp_path, "stock", repository="https://github.com/acme/stock")
    with pytest.raises(ConfigError, match=r"services/stock\.yaml: repository: \S+ is services/other\.yaml's already"):
        read_all(tmp_path)


@pytest.mark.parametrize(
    ("name", "database"), [("postgres", {}), ("stock", {"name": "cloudsqladmin"}), ("stock", {"name": "template1"})]
)
def test_a_service_has_no_database_that_every_instance_has(name: str, database: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, name, database={"instance": "main", **database})
    message = rf"^services/{name}\.yaml: database: every instance has .* from the start; set database\.name"
    with pytest.raises(ConfigError, match=message):
        with_services("staging", stacks_in(), read_all(tmp_path))


@pytest.mark.parametrize("caller", ["nosuch", "order", "jenkins"])
def test_a_caller_is_a_namespace_that_exists(caller: str, tmp_path: Path) -> None:
    write(tmp_path, "orders")
    write(tmp_path, "stock", traffic={"from_namespaces": [caller]})
    with pytest.raises(
        ConfigError,
        match=rf"^services/stock\.yaml: traffic\.from_namespaces: there is no namespace {caller}; .*\(orders\), or remove",
    ):
        with_services("staging", stacks_in(), read_all(tmp_path))


@pytest.mark.parametrize("caller", ["orders", "stock", "gmp-system", "preview-2"])
def test_a_caller_may_be_a_service_a_preview_namespace_or_one_of_the_cluster(caller: str, tmp_path: Path) -> None:
    write(tmp_path, "orders", environments={"production": {}})
    write(tmp_path, "stock", traffic={"from_namespaces": [caller]})
    assert with_services("staging", stacks_in(), read_all(tmp_path)).tenants["stock"]


def test_a_caller_may_be_a_service_of_a_group_with_a_stack_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "payments/ledger")
    write(tmp_path, "stock", traffic={"from_namespaces": ["ledger"]})
    (tmp_path / "payments" / "broken.yaml").write_text("x: 1\n")
    services = read_all(tmp_path, without={"payments"})
    assert names(tmp_path) == {"ledger", "stock", "broken"}
    assert with_services("staging", stacks_in(), services, names(tmp_path)).tenants["stock"]
    config = with_services("staging", stacks_in(), services, names(tmp_path))
    assert [*callers.mistakes("staging", config, services, ())]
