"""The chart of a preview namespace's lease: what runs next to a service in a preview namespace."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from atwork.sandbox.provider import schema
from atwork.sandbox.provider.check import Checker
from atwork.sandbox.verify.pod_security import restricted
from components.delivery import StoreName
from components.jenkins.jobs import PreviewJob
from components.jenkins.registry import Images
from components.service import CONFIG_MAP

CHART = Path(__file__).parents[2] / "delivery" / "resources" / "preview"
ALL: tuple[StoreName, ...] = ("postgres", "redis", "mysql")


def rendered(helm: Path, folder: Path, stores: Sequence[StoreName]) -> dict[str, dict[str, Any]]:
    """Its objects by kind and name, with the values that the job has."""
    job = PreviewJob(
        service="stock",
        repository="https://github.com/acme/stock",
        branch="main",
        environment="staging",
        project="p",
        location="r",
        cluster="c",
        channel="#stock",
        minutes=10,
        stores=tuple(stores),
    )
    (folder / "stores.json").write_text(job.arguments(Images("mirror/hub", {}))["stores"])
    given = "service=stock,pull=7,expires=1764186400,project=acme-staging"
    command = [
        str(helm),
        "template",
        "lease",
        str(CHART),
        "--namespace",
        "preview-1",
        "--values",
        str(folder / "stores.json"),
        "--set-string",
        given,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {f"{entry['kind']}/{entry['metadata']['name']}": entry for entry in yaml.safe_load_all(done.stdout) if entry}


@pytest.mark.parametrize("stores", [(), ("postgres", "redis"), ALL], ids="-".join)
def test_it_brings_the_stores_that_a_service_has_and_tells_it_of_them(
    stores: tuple[StoreName, ...], helm: Path, tmp_path: Path
) -> None:
    objects = rendered(helm, tmp_path, stores)
    pairs = {f"{kind}/{store}" for store in stores for kind in ("Deployment", "Service")}
    assert set(objects) == {"ServiceAccount/stock", f"ConfigMap/{CONFIG_MAP}", *pairs}
    facts = objects[f"ConfigMap/{CONFIG_MAP}"]["data"]
    assert (facts["ATWORK_ENVIRONMENT"], facts["GOOGLE_CLOUD_PROJECT"]) == ("preview", "acme-staging")
    assert len(facts) == 2 + len(stores)
    if "postgres" in stores:
        assert facts["DATABASE_URL"] == "postgresql://postgres@postgres:5432/postgres"


def test_its_pods_are_restricted_and_have_limits(helm: Path, tmp_path: Path) -> None:
    for name, objects in rendered(helm, tmp_path, ALL).items():
        if not name.startswith("Deployment/"):
            continue
        pod = objects["spec"]["template"]["spec"]
        assert restricted(pod) == [], name
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert {"memory", "ephemeral-storage"} <= set(container["resources"]["limits"])
        assert container["image"].startswith("mirror/hub/library/")
        assert container["startupProbe"]["exec"]["command"] == container["readinessProbe"]["exec"]["command"]


def test_every_service_finds_its_store(helm: Path, tmp_path: Path) -> None:
    objects = rendered(helm, tmp_path, ALL)
    for store in ALL:
        service, deployment = objects[f"Service/{store}"]["spec"], objects[f"Deployment/{store}"]["spec"]
        assert (
            service["selector"] == deployment["template"]["metadata"]["labels"] == deployment["selector"]["matchLabels"]
        )
        (container,) = deployment["template"]["spec"]["containers"]
        assert service["ports"][0]["port"] == container["ports"][0]["containerPort"]
        assert f":{service['ports'][0]['port']}" in json.dumps(objects[f"ConfigMap/{CONFIG_MAP}"]["data"])


def test_every_object_is_one_that_kubernetes_knows(helm: Path, tmp_path: Path) -> None:
    groups = {"v1": "core/v1", "apps/v1": "apps/v1"}
    for name, objects in rendered(helm, tmp_path, ALL).items():
        token = f"kubernetes:{groups[objects['apiVersion']]}:{objects['kind']}"
        assert Checker(schema.resource(token), {}, {}).mistakes(objects) == [], name
