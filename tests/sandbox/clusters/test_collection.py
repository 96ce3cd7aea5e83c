"""The objects of Managed Prometheus on a real API server, with the schemas of its kinds."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from support.checkout import ROOT
from support.program import run_stack
from support.real_cluster import real_cluster
from support.waiting import wait_for

from atwork.sandbox.clusters.api import Api, ApiError
from components.monitoring.objectives import NAME

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("go") is None, reason="the control plane is built from Go modules"),
]

TEMPLATE = ROOT / "delivery/template/repository/chart/templates/metrics.yaml"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API server with the kinds of GKE's add-ons."""
    with real_cluster(tmp_path_factory.mktemp("collection")) as (fleet, cluster):
        fleet.install_addons(cluster)
        api = Api(fleet.kubeconfig(cluster))
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "orders"}}
        api.apply(api.place("v1", "Namespace"), namespace, manager="test", force=True)
        yield api


def refusal(api: Api, body: dict[str, Any]) -> str:
    """Why an object is refused; "" if it would be created."""
    # A kind is served shortly after its definition is created.
    place = wait_for(lambda: api.place(body["apiVersion"], body["kind"]), early=ApiError)
    try:
        api.create(place, body, manager="test", dry_run=True)
    except ApiError as error:
        return str(error)
    return ""


def test_the_objectives_of_a_service_are_accepted(server: Api) -> None:
    rules = run_stack("production").resource("kubernetes:monitoring.googleapis.com/v1:Rules", "slo-orders-rules").inputs
    assert rules["metadata"] == {"name": NAME, "namespace": "orders"}
    assert refusal(server, rules) == ""
    wrong = copy.deepcopy(rules)
    del wrong["spec"]["groups"][0]["rules"][0]["record"]
    assert "Must set exactly one of Record or Alert" in refusal(server, wrong)
    wrong = copy.deepcopy(rules)
    wrong["spec"]["groups"][0]["rules"][0]["record"] = "slo burn"
    assert "spec.groups[0].rules[0].record" in refusal(server, wrong)


def test_the_collection_of_the_template_is_accepted(server: Api) -> None:
    text = TEMPLATE.read_text().replace("{{ .Release.Name }}", "orders")
    lines = [line.partition(" {{-")[0] for line in text.splitlines() if not line.startswith("{{-")]
    monitoring = yaml.safe_load("\n".join(lines))
    monitoring["metadata"] = {"name": "orders", "namespace": "orders"}
    monitoring["spec"]["selector"]["matchLabels"] = {"app": "orders"}
    assert refusal(server, monitoring) == ""
    del monitoring["spec"]["endpoints"][0]["interval"]
    assert "spec.endpoints[0].interval" in refusal(server, monitoring)
