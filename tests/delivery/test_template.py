"""The service template: a rendered repository passes its own tests and satisfies the rules of the platform."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import stores as running
from support.checkout import ROOT

from atwork.sandbox.provider import schema
from atwork.sandbox.provider.check import Checker
from atwork.sandbox.verify.pod_security import restricted
from atwork.services.check import check
from atwork.services.new import TEMPLATE, NewService, render
from components.baseline import OUR_KINDS
from components.monitoring.slo_settings import BUCKETS_MS
from components.service import CONFIG_MAP
from infra.config import read_all
from infra.services import ServiceSettings

COMBINATIONS = ((), ("postgres",), ("redis",), ("postgres", "redis"), ("postgres", "redis", "mysql"))
DIGEST = "sha256:" + "a" * 64
EVERY = pytest.mark.parametrize("stores", COMBINATIONS, ids="-".join)


def service(stores: tuple[str, ...]) -> ServiceSettings:
    return ServiceSettings.model_validate(
        {
            "owner": "team-stock",
            "repository": "https://github.com/acme/stock",
            "channel": "#stock",
            "stores": stores,
            "secrets": ("api-key", "webhook") if stores else (),
            "environments": {"staging": {}},
        }
    )


def objects(helm: Path, folder: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """The objects of the rendered chart, by kind and name."""
    image = ("--set", f"image.repository=r/services/stock,image.digest={DIGEST}", "--set", "project=acme-staging")
    done = subprocess.run(
        [str(helm), "template", "stock", str(folder / "chart"), "--namespace", "stock", *image, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {f"{item['kind']}/{item['metadata']['name']}": item for item in yaml.safe_load_all(done.stdout) if item}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Path]:
    """A repository for each choice of data stores."""
    folders: dict[tuple[str, ...], Path] = {}
    for stores in COMBINATIONS:
        folder = tmp_path_factory.mktemp("service") / "stock"
        secrets = service(stores).secrets
        render(
            NewService("stock", "https://github.com/acme/stock", "team-stock", "#stock", stores, secrets=secrets),
            read_all(ROOT / "stacks"),
            folder,
        )
        folders[stores] = folder
    return folders


@EVERY
def test_a_rendered_repository_has_everything_that_the_platform_needs(
    stores: tuple[str, ...], rendered: dict[tuple[str, ...], Path]
) -> None:
    folder = rendered[stores]
    assert check(folder, {"stock": service(stores)}) == []
    for path in folder.rglob("*.py"):
        compile(path.read_text(), str(path), "exec")
    assert len((folder / "Jenkinsfile").read_text().splitlines()) == 2
    left = [
        path
        for path in folder.rglob("*")
        if path.is_file() and "templates" not in path.parts and re.search(r"\{\{|\{%", path.read_text())
    ]
    assert left == []
    composed = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    assert list(composed or ()) == list(stores)
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E,F,I,UP,B", "--line-length", "120", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert formatted.returncode == 0, formatted.stdout


def test_a_migration_runs_before_each_version_where_there_is_a_database(
    rendered: dict[tuple[str, ...], Path], helm: Path
) -> None:
    assert "Job/stock-migration" not in objects(helm, rendered[("redis",)])
    manifests = objects(helm, rendered[("postgres", "redis")], "--set", "migrate.timeout_seconds=30")
    job, service = manifests["Job/stock-migration"], manifests["Service/stock"]
    annotations = job["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert annotations["helm.sh/hook-output-log-policy"] == "hook-succeeded,hook-failed"
    assert job["spec"]["backoffLimit"] == 0
    pod = job["spec"]["template"]
    assert pod["spec"]["activeDeadlineSeconds"] == 30
    assert "activeDeadlineSeconds" not in job["spec"], "a Job that ends a pod deletes it with its log"
    assert not service["spec"]["selector"].items() <= pod["metadata"]["labels"].items(), "no request reaches it"


@pytest.mark.parametrize(
    ("value", "message"), [("timeout_seconds=541", "migrate"), ("seconds=5", "migrate"), ("command=python", "migrate")]
)
def test_settings_of_a_migration_that_helm_would_not_wait_for_are_refused(
    value: str, message: str, rendered: dict[tuple[str, ...], Path], helm: Path
) -> None:
    command = [str(helm), "template", "stock", str(rendered[("postgres",)] / "chart"), "--set", f"migrate.{value}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert message in done.stderr


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A PostgreSQL server that all services of the tests share."""
    with running.postgres() as address:
        yield address


@pytest.fixture
def stores_environment(database: str) -> Iterator[dict[str, str]]:
    """The addresses of the stores, as in the pipeline; Redis is empty."""
    with running.redis() as cache:
        yield {"DATABASE_URL": database, "REDIS_URL": cache}


@EVERY
def test_its_own_tests_pass_with_real_stores_and_fail_without(
    stores: tuple[str, ...], rendered: dict[tuple[str, ...], Path], stores_environment: dict[str, str], tmp_path: Path
) -> None:
    """`make test` in an environment with its own pinned packages, as in its image."""
    folder = rendered[stores]
    python = tmp_path / "venv" / "bin" / "python"
    uv = str(Path(sys.executable).parent / "uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv")], check=True)
    for requirements in ("requirements.txt", "requirements-test.txt"):
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", requirements]
        subprocess.run(install, cwd=folder, check=True)

    def make_test(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{python.parent}:{os.environ['PATH']}", **variables}
        command = ["make", "-C", str(folder), "test", f"REPORTS={tmp_path / 'reports'}"]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    done = make_test(stores_environment)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = {"postgres", "redis"} & set(stores)
    assert f"{4 + bool(kept) + ('postgres' in kept) + (len(kept) == 2)} passed" in done.stdout
    assert (tmp_path / "reports" / "tests.xml").exists()
    if kept:
        without = make_test(dict.fromkeys(stores_environment, ""))
        assert without.returncode != 0
        assert "not set: run `make stores`, then `make test`" in without.stdout


@EVERY
def test_the_chart_passes_helm_lint(stores: tuple[str, ...], rendered: dict[tuple[str, ...], Path], helm: Path) -> None:
    values = f"image.digest={DIGEST},project=p"
    done = subprocess.run(
        [str(helm), "lint", "--strict", str(rendered[stores] / "chart"), "--set", values],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_kubernetes_and_the_platform_accept_its_objects(
    environment: str, rendered: dict[tuple[str, ...], Path], helm: Path
) -> None:
    folder = rendered["postgres", "redis"]
    values = ("--values", str(folder / "chart" / f"values-{environment}.yaml"), "--set", "host=stock.example.com")
    rendered_objects = objects(helm, folder, *values)
    assert set(rendered_objects) == {
        "Deployment/stock",
        "Job/stock-migration",
        "Service/stock",
        "HorizontalPodAutoscaler/stock",
        "PodDisruptionBudget/stock",
        "NetworkPolicy/stock",
        "HealthCheckPolicy/stock",
        "PodMonitoring/stock",
        "SecretProviderClass/stock",
        "Pod/stock-smoke-test",
    }
    for name, item in rendered_objects.items():
        group, _, version = item["apiVersion"].rpartition("/")
        if group in OUR_KINDS:
            assert f"{item['kind'].lower().rstrip('y')}" in "".join(OUR_KINDS[group]), "the deployer may not make it"
            continue
        token = f"kubernetes:{group or 'core'}/{version}:{item['kind']}"
        resource_type = next(
            known
            for known in schema.tokens("kubernetes")
            if known.replace(".k8s.io", "") == token.replace(".k8s.io", "")
        )
        assert Checker(schema.resource(resource_type), {}, {}).mistakes(item) == [], name
    for spec in (
        rendered_objects["Deployment/stock"]["spec"]["template"]["spec"],
        rendered_objects["Job/stock-migration"]["spec"]["template"]["spec"],
        rendered_objects["Pod/stock-smoke-test"]["spec"],
    ):
        assert restricted(spec) == []
        assert spec["automountServiceAccountToken"] is False
        assert spec["serviceAccountName"] == "stock"
        for container in spec["containers"]:
            assert container["image"] == f"r/services/stock@{DIGEST}"
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"].keys() == {"memory", "ephemeral-storage"}
    container = rendered_objects["Deployment/stock"]["spec"]["template"]["spec"]["containers"][0]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    assert container["envFrom"] == [{"configMapRef": {"name": CONFIG_MAP, "optional": True}}]
    least = rendered_objects["HorizontalPodAutoscaler/stock"]["spec"]["minReplicas"]
    assert least == {"staging": 1, "production": 3}[environment]
    secrets = yaml.safe_load(rendered_objects["SecretProviderClass/stock"]["spec"]["parameters"]["secrets"])
    assert [secret["resourceName"] for secret in secrets] == [
        "projects/acme-staging/secrets/stock-api-key/versions/latest",
        "projects/acme-staging/secrets/stock-webhook/versions/latest",
    ]
    selector = rendered_objects["Service/stock"]["spec"]["selector"]
    assert selector.items() <= rendered_objects["Deployment/stock"]["spec"]["template"]["metadata"]["labels"].items()
    assert not selector.items() <= rendered_objects["Pod/stock-smoke-test"]["metadata"]["labels"].items()
    collected = rendered_objects["PodMonitoring/stock"]["spec"]
    assert collected["selector"]["matchLabels"] == selector
    assert {"name": collected["endpoints"][0]["port"], "containerPort": 9090} in container["ports"]
    assert {"name": "METRICS_PORT", "value": "9090"} in container["env"]


def test_nobody_collects_the_metrics_of_previews(rendered: dict[tuple[str, ...], Path], helm: Path) -> None:
    folder = rendered[()]
    assert "PodMonitoring/stock" in objects(helm, folder)
    assert "PodMonitoring/stock" not in objects(helm, folder, "--values", str(folder / "chart/values-preview.yaml"))


def test_the_template_measures_the_buckets_that_objectives_name() -> None:
    tree = ast.parse((TEMPLATE / "repository/app/metrics.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "buckets"]
    assert [round(bound * 1000) for bound in ast.literal_eval(calls[0].value)] == list(BUCKETS_MS)


def test_without_a_host_there_is_no_route_and_without_secrets_no_volume(
    rendered: dict[tuple[str, ...], Path], helm: Path
) -> None:
    rendered_objects = objects(helm, rendered[()])
    assert not {"HTTPRoute/stock", "HealthCheckPolicy/stock", "SecretProviderClass/stock"} & rendered_objects.keys()
    assert [
        volume["name"] for volume in rendered_objects["Deployment/stock"]["spec"]["template"]["spec"]["volumes"]
    ] == ["scratch"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("image.digest=latest", "digest"),
        ("replicas.least=0", "least"),
        ("surprise=1", "surprise"),
        ("image.digest=", "pipeline fills it in"),
    ],
)
def test_wrong_values_are_refused(given: str, message: str, rendered: dict[tuple[str, ...], Path], helm: Path) -> None:
    command = [str(helm), "template", "stock", str(rendered[()] / "chart"), "--set", given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert message in done.stderr
