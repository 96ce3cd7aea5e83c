"""`atwork access` with a sandbox that contains the resources of the real stacks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from support import checkout
from support.cloud import Simulated
from support.parsing import record_parsed
from typer.testing import CliRunner

from atwork.checkout import Checkout
from atwork.cli import app
from atwork.errors import AccessError
from atwork.sandbox.access_model import SandboxAccess
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home

STAGING = "acme-at-work-staging"
DEPLOYER = f"platform-deployer@{STAGING}.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stacks: dict[str, Simulated]) -> Home:
    return filled(tmp_path_factory.mktemp("access"), stacks.values())


def filled(folder: Path, simulations: Iterable[Simulated]) -> Home:
    """A checkout whose sandbox has the objects of some stacks."""
    home = Home(checkout.copy(folder / "checkout"))
    cloud = Cloud(home.cloud)
    for item in (item for simulation in simulations for item in simulation.objects):
        cloud.create(item, set())
    return home


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(home.checkout)
    return CliRunner()


@pytest.mark.parametrize("words", [("audit",), ("explain", DEPLOYER)])
def test_each_stack_file_is_read_once(words: tuple[str, ...], run: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = record_parsed(monkeypatch)
    run.invoke(app, ["access", *words])
    assert sorted(parsed) == ["ci", "production", "staging"]


def test_explain_shows_each_binding_with_its_origin(run: CliRunner) -> None:
    result = run.invoke(app, ["access", "explain", DEPLOYER])
    assert result.exit_code == 0
    assert f"serviceAccount:{DEPLOYER}: 2 bindings" in result.output
    assert f"projects/{STAGING}/roles/clusterConnect" in result.output
    assert "staging: access-deployer-connect" in result.output


def test_explain_of_a_pod_names_the_account_that_it_may_act_as(run: CliRunner) -> None:
    result = run.invoke(
        app, ["access", "explain", "acme-at-work-ci.svc.id.goog[jenkins-deploy-staging/deployer]", "--json"]
    )
    assert result.exit_code == 0
    assert json.loads(result.output)["actsAs"] == [DEPLOYER]


def test_explain_takes_a_resource(run: CliRunner) -> None:
    result = run.invoke(app, ["access", "explain", DEPLOYER, f"projects/{STAGING}", "--json"])
    assert [item["resource"] for item in json.loads(result.output)["bindings"]] == [f"projects/{STAGING}"]


def test_who_can_lists_the_program_and_bootstrap(run: CliRunner) -> None:
    bucket = "buckets/acme-at-work-admin-state/objects/.pulumi/stacks/atwork/production.json"
    result = run.invoke(app, ["access", "who-can", "storage.objects.create", bucket, "--json"])
    assert [item["principal"].partition("@")[0] for item in json.loads(result.output)] == [
        "serviceAccount:deploy-production"
    ]
    table = run.invoke(app, ["access", "who-can", "storage.objects.create", bucket])
    assert "state of production" in table.output
    assert "bootstrap of production" in table.output


def test_audit_reports_only_missing_rights_inside_the_clusters(run: CliRunner) -> None:
    """The clusters of this sandbox contain no roles, so each duty inside a cluster is reported."""
    result = run.invoke(app, ["access", "audit", "--json"])
    assert result.exit_code == 1
    findings = json.loads(result.output)
    assert {item["identity"].partition(":")[0] for item in findings} == {"Group", "User", "ServiceAccount"}
    assert {
        "identity": "ServiceAccount:orders/deployer",
        "message": "may not deploy orders: create deployments.apps in orders of staging",
    } in findings


@pytest.mark.parametrize("up", [("ci",), ("ci", "staging")])
def test_audit_knows_which_environments_are_up(
    up: tuple[str, ...], stacks: dict[str, Simulated], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jenkins deploys to environments whose accounts do not exist yet, and bootstrap has made others."""
    monkeypatch.chdir(filled(tmp_path, (stacks[name] for name in up)).checkout)
    findings = json.loads(CliRunner().invoke(app, ["access", "audit", "--json"]).output)
    assert {item["identity"].partition(":")[0] for item in findings} <= {"Group", "User", "ServiceAccount"}


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (
            ["explain", "platform-deploy@acme-at-work-staging.iam.gserviceaccount.com"],
            "no binding names this principal; did you mean",
        ),
        (["explain", "deployer@nowhere"], "no binding names this principal"),
        (["who-can", "secretmanager.versions.acces", f"projects/{STAGING}"], "unknown permission; did you mean"),
        (
            ["who-can", "secretmanager.versions.access", f"projects/{STAGING}/secrets/gone"],
            "unknown resource; did you mean",
        ),
        (["explain", DEPLOYER, "projects/acme-at-work-stagin"], "unknown resource; did you mean"),
    ],
)
def test_mistakes_are_named_with_the_nearest_name(run: CliRunner, arguments: list[str], match: str) -> None:
    result = run.invoke(app, ["access", *arguments])
    assert isinstance(result.exception, AccessError)
    assert match in str(result.exception)


def test_an_empty_sandbox_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="run `atwork sandbox up`"):
        SandboxAccess(Checkout(checkout.copy(tmp_path / "checkout"))).model()
