"""The objects of the gateway on a real API server with the genuine definitions of the Gateway API."""

from __future__ import annotations

import copy
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console
from support.gateway_api import definitions
from support.mocks import Recording
from support.program import run_stack

from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.choice import Choice, ClusterKind
from atwork.sandbox.clusters.fleet import Fleet
from components.type_tokens import GATEWAY, ROUTE

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("go") is None, reason="the definitions are in a Go module"),
]

MANAGER = "test"
HOST = "orders.staging.example.com"
ADMISSION = "kubernetes:admissionregistration.k8s.io/v1:"


@pytest.fixture(scope="module")
def staging() -> Recording:
    return run_stack("staging")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, staging: Recording) -> Iterator[Api]:
    """An API server with the namespaces and admission policies of staging's gateway."""
    folder = tmp_path_factory.mktemp("gateway")
    fleet = Fleet(folder / "clusters", folder / "bin", Choice(ClusterKind.real), Console(stderr=True))
    cluster = fleet.reserve("projects/p/locations/l/clusters/mine", "mine")
    try:
        fleet.start(cluster)
        api = Api(fleet.kubeconfig(cluster))
        for definition in definitions("gateways", "httproutes"):
            create(api, definition)
        until(lambda: api.place("gateway.networking.k8s.io/v1", "HTTPRoute"))
        namespaces = staging.of_type("kubernetes:core/v1:Namespace")
        for name in ("gateway-namespace", "tenant-orders-namespace", "preview-namespaces-preview-1-namespace"):
            create(api, namespaces[name].inputs)
        create(api, staging.resource(f"{ADMISSION}ValidatingAdmissionPolicy", "gateway-hosts").inputs)
        create(api, staging.resource(f"{ADMISSION}ValidatingAdmissionPolicyBinding", "gateway-hosts-binding").inputs)
        foreign = route(staging, hostnames=["billing.staging.example.com"])
        until(lambda: refusal(api, foreign))  # a policy is in force shortly after it is created
        yield api
    finally:
        fleet.stop()


def create(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    return api.apply(api.place(body["apiVersion"], body["kind"]), body, manager=MANAGER, force=True)


def until(condition: Any) -> None:
    for _ in range(300):
        try:
            if condition():
                return
        except (ApiError, KeyError):
            pass
        time.sleep(0.1)
    raise AssertionError("not within 30 seconds")


def refusal(api: Api, body: dict[str, Any]) -> str:
    """Why an object is refused; "" if it is created, and then it is deleted."""
    place = api.place(body["apiVersion"], body["kind"])
    try:
        api.create(place, body, manager=MANAGER, dry_run=True)
    except ApiError as error:
        return str(error)
    return ""


def route(staging: Recording, *, namespace: str = "orders", **spec: Any) -> dict[str, Any]:
    """The route of orders with another name, in a namespace, with parts of its specification replaced."""
    body = copy.deepcopy(staging.resource(ROUTE, "service-orders-route").inputs)
    body["metadata"] = {"name": "another", "namespace": namespace}
    body["spec"] |= spec
    return body


def test_the_gateway_and_its_redirect_are_valid(server: Api, staging: Recording) -> None:
    gateway = create(server, staging.resource(GATEWAY, "gateway-gateway").inputs)
    assert [listener["name"] for listener in gateway["spec"]["listeners"]] == ["https", "http"]
    redirect = create(server, staging.resource(ROUTE, "gateway-redirect").inputs)
    [rule] = redirect["spec"]["rules"]
    assert rule["filters"] == [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]
    assert rule.get("backendRefs") is None


def test_a_service_has_its_own_host(server: Api, staging: Recording) -> None:
    created = create(server, staging.resource(ROUTE, "service-orders-route").inputs)
    assert created["spec"]["hostnames"] == [HOST]
    assert refusal(server, route(staging)) == ""
    gateway = staging.resource(GATEWAY, "gateway-gateway").inputs
    [listener] = [
        item for item in gateway["spec"]["listeners"] if item["name"] == created["spec"]["parentRefs"][0]["sectionName"]
    ]
    wanted = listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"]
    namespace = server.get(server.place("v1", "Namespace"), "", "orders")
    assert namespace is not None
    assert wanted.items() <= namespace["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hostnames": ["billing.staging.example.com"]}, f"hostnames must be those of the namespace ({HOST})"),
        ({"hostnames": [HOST, "billing.staging.example.com"]}, "hostnames must be those of the namespace"),
        ({"hostnames": ["*.staging.example.com"]}, "hostnames must be those of the namespace"),
        ({"hostnames": []}, "hostnames must be those of the namespace"),
        ({"namespace": "preview-1"}, "hostnames must be those of the namespace ()"),
        (
            {"rules": [{"backendRefs": [{"name": "without-policy", "port": 80}]}]},
            "backendRefs must be Services behind the policies of the gateway (orders)",
        ),
        (
            {"rules": [{"backendRefs": [{"name": "orders", "namespace": "billing", "port": 80}]}]},
            "backendRefs must be Services behind the policies",
        ),
    ],
)
def test_a_foreign_host_is_refused(change: dict[str, Any], message: str, server: Api, staging: Recording) -> None:
    assert message in refusal(server, route(staging, **change))


def test_a_route_does_not_become_that_of_another_host(server: Api, staging: Recording) -> None:
    create(server, route(staging))
    with pytest.raises(ApiError, match="hostnames must be those of the namespace"):
        create(server, route(staging, hostnames=["billing.staging.example.com"]))


def test_a_route_whose_host_is_taken_away_can_still_be_deleted(server: Api, staging: Recording) -> None:
    """GKE's controller removes its finalizer in an update of a route that is being deleted."""
    place = server.place("gateway.networking.k8s.io/v1", "HTTPRoute")
    body = route(staging)
    body["metadata"] |= {"name": "leaving", "finalizers": ["gateway.networking.k8s.io/test"]}
    create(server, body)
    namespaces = server.place("v1", "Namespace")
    path = namespaces.path("", "orders")
    server.merge(path, {"metadata": {"annotations": {"atwork.dev/hosts": "other.staging.example.com"}}})
    server.delete(place, "orders", "leaving", propagation="Background")
    server.merge(place.path("orders", "leaving"), {"metadata": {"finalizers": None}})
    assert server.get(place, "orders", "leaving") is None
