"""`atwork service new` and `atwork service check`, from the command line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from support.checkout import copy
from support.renamed import NAMES, rename_environments
from typer.testing import CliRunner, Result

from atwork.cli import app
from atwork.errors import UserError
from atwork.group_files import group_mistakes, secrets_provider, write_stack_files
from atwork.services.check import check
from infra.catalog import read_all
from infra.config import read_all as read_stacks
from infra.layout import group_files


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "platform"
    folder.mkdir()
    copy(folder)
    monkeypatch.chdir(folder)
    return folder


def new(*arguments: str) -> Result:
    required = ["--repo", "https://github.com/acme/stock", "--owner", "team-stock", *arguments]
    return CliRunner().invoke(app, ["service", "new", "stock", *required])


def test_a_folder_that_cannot_be_copied_is_one_line(checkout: Path) -> None:
    (checkout / "services" / ".#orders.yaml").symlink_to("an editor's lock")
    assert new().exit_code == 0
    shutil.rmtree(checkout / "services")
    (checkout / "services").write_text("")
    assert str(new("--into", "again").exception) == (
        "services: is not a folder; restore the folder of the service files"
    )


def test_a_new_service_is_a_repository_and_one_file(checkout: Path) -> None:
    result = new("--stores", "postgres,redis", "--secrets", "api-key", "--host", "staging=stock.staging.example.com")
    assert result.exit_code == 0, result.output
    service = read_all(checkout / "services")["stock"]
    assert (service.stores, service.secrets, service.channel) == (("postgres", "redis"), ("api-key",), "#team-stock")
    assert service.database is not None
    assert service.environments["staging"].host == "stock.staging.example.com"
    assert set(service.environments) == {"staging", "production"}
    assert check(checkout.parent / "stock", read_all(checkout / "services")) == []
    assert "services/stock.yaml: settings of the service in staging, production" in result.output
    checked = CliRunner().invoke(app, ["service", "check", str(checkout.parent / "stock")])
    assert checked.exit_code == 0


def test_a_new_service_of_a_group_stands_in_its_folder_and_gets_the_stacks_of_the_group(checkout: Path) -> None:
    assert new("--group", "payments", "--environments", "staging").exit_code == 0
    assert read_all(checkout / "services")["stock"].file == "services/payments/stock.yaml"
    assert "$schema=../schema.json" in (checkout / "services" / "payments" / "stock.yaml").read_text()
    assert not group_files(checkout / "stacks"), "a group has no stacks of its own until it is given some"

    runner = CliRunner()
    assert runner.invoke(app, ["service", "group", "payments"]).exit_code == 0
    words = ["--repo", "https://github.com/acme/ledger", "--owner", "team-ledger", "--group", "payments"]
    added = runner.invoke(app, ["service", "new", "ledger", *words])
    assert "stacks/Pulumi.production.payments.yaml: written" in added.output
    assert [str(stack) for stack in group_files(checkout / "stacks")] == [
        "ci.payments",
        "production.payments",
        "staging.payments",
    ]


def test_a_group_without_services_is_an_error(checkout: Path) -> None:
    result = CliRunner().invoke(app, ["service", "group", "nosuch"])
    assert isinstance(result.exception, UserError)
    assert str(result.exception) == "services/nosuch: there are no services in it; name one of default"


def test_the_stack_file_of_a_group_has_the_key_of_its_environment(checkout: Path) -> None:
    staging = checkout / "stacks" / "Pulumi.staging.yaml"
    staging.write_text("secretsprovider: gcpkms://k\nencryptedkey: AAAA\n" + staging.read_text())
    services, environments = read_all(checkout / "services"), read_stacks(checkout / "stacks")
    written = {path.name: path for path in write_stack_files(checkout, "default", environments, services)}
    file = written["Pulumi.staging.default.yaml"]
    assert secrets_provider(file) == "gcpkms://k"
    assert yaml.safe_load(file.read_text())["encryptedkey"] == "AAAA"
    assert secrets_provider(written["Pulumi.ci.default.yaml"]) is None
    assert [*group_mistakes(checkout, environments, services)] == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("AAAA", "BBBB", "encryptedkey: is not that of Pulumi.staging.yaml; copy the line from there"),
        ('["*"]', "[]", 'config.pulumi:disable-default-providers: must be ["*"]; every resource names its provider'),
        (
            "config:\n",
            "config:\n  atwork:stack: {}\n",
            "config.atwork:stack: the settings are in Pulumi.staging.yaml; remove it here",
        ),
        (
            "secretsprovider",
            "encryptionsalt: v1\nsecretsprovider",
            "encryptionsalt belongs to a passphrase; remove the line",
        ),
    ],
)
def test_a_stack_file_of_a_group_that_says_something_else_is_an_error(
    old: str, new: str, message: str, checkout: Path
) -> None:
    staging = checkout / "stacks" / "Pulumi.staging.yaml"
    staging.write_text("secretsprovider: gcpkms://k\nencryptedkey: AAAA\n" + staging.read_text())
    services, environments = read_all(checkout / "services"), read_stacks(checkout / "stacks")
    write_stack_files(checkout, "default", environments, services)
    file = checkout / "stacks" / "Pulumi.staging.default.yaml"
    file.write_text(file.read_text().replace(old, new, 1))
    assert [*group_mistakes(checkout, environments, services)] == [f"stacks/{file.name}: {message}"]


def test_a_group_has_a_stack_everywhere_or_nowhere(checkout: Path) -> None:
    services, environments = read_all(checkout / "services"), read_stacks(checkout / "stacks")
    for path in write_stack_files(checkout, "default", environments, services):
        if "production" in path.name:
            path.unlink()
    (checkout / "stacks" / "Pulumi.staging.search.yaml").write_text(
        'config: {"pulumi:disable-default-providers": ["*"]}\n'
    )
    search, default = group_mistakes(checkout, environments, services)
    assert search == (
        "stacks/Pulumi.staging.search.yaml: there are no services in services/search; destroy the stack "
        "(`pulumi destroy -s staging.search`), then remove the file"
    )
    assert default == (
        "stacks/Pulumi.production.default.yaml: missing; the group has stacks of its own: run "
        "`atwork service group default`"
    )


def test_a_chart_has_values_for_each_environment_that_releases_reach_whatever_its_name(checkout: Path) -> None:
    rename_environments(checkout)
    assert new().exit_code == 0
    _, test, production = NAMES.values()
    repository = checkout.parent / "stock"
    replicas = {
        path.name: yaml.safe_load(path.read_text())["replicas"] for path in (repository / "chart").glob("values-*.yaml")
    }
    assert replicas == {
        f"values-{test}.yaml": {"least": 1, "most": 2},
        f"values-{production}.yaml": {"least": 3, "most": 12},
        "values-preview.yaml": {"least": 1, "most": 1},
    }
    assert f"deployed to {test}, then to {production}; a" in (repository / "README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stores", "mongo"], r"services/stock\.yaml: stores\.0: .mongo. is not possible; write one of postgres"),
        (["--repo", "https://github.com/acme/orders"], r"is services/orders\.yaml's already; choose another"),
        (["--environments", "moon"], r"environments\.moon: there is no stacks/Pulumi\.moon\.yaml; name one of"),
        (["--host", "staging"], r"--host staging: write ENVIRONMENT=NAME"),
        (
            ["--host", "moon=a.example.com"],
            r"--host moon=a\.example\.com: write ENVIRONMENT=NAME, with one of staging,",
        ),
        (["--channel", "stock"], r"channel: .stock. is not valid; write a Slack channel"),
    ],
)
def test_a_refused_service_leaves_nothing_behind(arguments: list[str], message: str, checkout: Path) -> None:
    before = {path.name: path.read_bytes() for path in (checkout / "services").iterdir()}
    result = new(*arguments)
    assert isinstance(result.exception, UserError)
    with pytest.raises(UserError, match=message):
        raise result.exception
    assert {path.name: path.read_bytes() for path in (checkout / "services").iterdir()} == before
    assert not (checkout.parent / "stock").exists()


@pytest.mark.parametrize("name", ["Stock", "2nd", "st_ock"])
def test_a_name_that_is_not_a_label_is_refused(name: str, checkout: Path) -> None:
    result = CliRunner().invoke(app, ["service", "new", name, "--repo", "https://github.com/acme/y", "--owner", "o"])
    assert "the file's name is the service's: lower-case letters" in str(result.exception)
    assert not (checkout.parent / name).exists()


def test_a_taken_name_and_a_folder_in_use_are_refused(checkout: Path) -> None:
    assert new().exit_code == 0
    assert "services/stock.yaml: the service already exists" in str(new().exception)
    (checkout / "services" / "stock.yaml").unlink()
    assert "is not empty; choose another folder with --into" in str(new().exception)


@pytest.fixture
def repository(checkout: Path) -> Path:
    assert new("--stores", "postgres", "--secrets", "api-key").exit_code == 0
    return checkout.parent / "stock"


def without_line(text: str) -> str:
    """A finding without the number of its line."""
    return re.sub(r"^([\w./-]+):\d+: ", r"\1: ", text)


@pytest.mark.parametrize(
    ("file", "old", "new_text", "finding"),
    [
        ("Jenkinsfile", None, None, "Jenkinsfile: file not found; two lines are enough"),
        ("Jenkinsfile", "@Library('platform') _", "", "Jenkinsfile: begin with @Library('platform') _"),
        ("Jenkinsfile", "servicePipeline(", "pipeline(", "Jenkinsfile: call servicePipeline(name: 'NAME'"),
        ("Jenkinsfile", "name: 'stock', ", "", "Jenkinsfile: servicePipeline: name is missing; add name: 'NAME'"),
        (
            "Jenkinsfile",
            "'stock'",
            "'stok'",
            "Jenkinsfile: name: services/stok.yaml not found; use one of orders, stock",
        ),
        (
            "Jenkinsfile",
            "['postgres']",
            "['redis']",
            "Jenkinsfile: stores: redis here, postgres in services/stock.yaml",
        ),
        ("Dockerfile", None, None, "Dockerfile: file not found"),
        (
            "Dockerfile",
            "AS runtime",
            "AS released",
            "Dockerfile: stage runtime is missing; name the released stage: FROM ... AS runtime",
        ),
        ("Dockerfile", "AS test", "AS checks", "Dockerfile: stage test is missing; add a stage with the tests"),
        ("Dockerfile", ":3.13.9-slim-trixie", "", "FROM ${DOCKER_HUB}/library/python: pin a version"),
        (
            "Dockerfile",
            ":3.13.9-slim-trixie",
            ":latest",
            "python:latest: pin a version, such as ${DOCKER_HUB}/library/python:1.2.3",
        ),
        (
            "Dockerfile",
            "USER 1000:1000",
            "USER app",
            "Dockerfile: stage runtime runs as app; end it with a numeric user",
        ),
        ("Dockerfile", "USER 1000:1000", "USER 0", "Dockerfile: stage runtime runs as 0;"),
        ("Dockerfile", "USER 1000:1000", "", "Dockerfile: stage runtime runs as the user of its base image;"),
        ("Makefile", None, None, "Makefile: file not found"),
        ("Makefile", "test:", "tests:", "Makefile: target test is missing"),
        ("Makefile", "build:", "build := x\nbuilds:", "Makefile: target build is missing"),
        ("Makefile", "REPORTS", "OUT", "Makefile: test: write JUnit reports to $(REPORTS)"),
        ("chart/Chart.yaml", None, None, "chart/Chart.yaml: file not found"),
        (
            "chart/Chart.yaml",
            "name: stock",
            "name: other",
            "chart/Chart.yaml: name: other must be the service's, stock",
        ),
        ("chart/Chart.yaml", "0.1.0", "v1", "chart/Chart.yaml: version: v1 must be a semantic version, such as 1.4.0"),
        ("chart/Chart.yaml", "name: stock", "name: [", "chart/Chart.yaml: not YAML"),
        ("chart/values.yaml", None, None, "chart/values.yaml: file not found"),
        ("chart/values.yaml", "image: {", "picture: {", "chart/values.yaml: image: must have repository and digest"),
        (
            "chart/values.yaml",
            "[api-key]",
            "[]",
            "chart/values.yaml: secrets: none here, api-key in services/stock.yaml",
        ),
    ],
)
def test_what_a_repository_lacks_is_reported(
    file: str, old: str | None, new_text: str | None, finding: str, repository: Path, checkout: Path
) -> None:
    path = repository / file
    if old is None or new_text is None:
        path.unlink()
    else:
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new_text))
    findings = [without_line(str(item)) for item in check(repository, read_all(checkout / "services"))]
    assert any(finding in item for item in findings), findings
    assert len(findings) <= 2
    result = CliRunner().invoke(app, ["service", "check", str(repository)])
    assert result.exit_code == 1
    assert finding in "\n".join(map(without_line, result.output.splitlines()))


def test_an_empty_folder_lacks_everything(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    findings = check(tmp_path / "empty", read_all(checkout / "services"))
    assert [item.file for item in findings] == [
        "Jenkinsfile",
        "Dockerfile",
        "Makefile",
        "chart/Chart.yaml",
        "chart/values.yaml",
    ]
