"""The objects of the gateway on a real API server with the genuine definitions of the Gateway API."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from support import iap_client, internal_gateway
from support.gateway_api import definitions
from support.mocks import Recording
from support.program import run_stack
from support.real_cluster import real_cluster
from support.waiting import wait_for

from atwork.sandbox.clusters.api import Api, ApiError
from components.gateway import previews
from components.type_tokens import GATEWAY, ROUTE
from infra.config import read_all

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("go") is None, reason="the definitions are in a Go module"),
]

MANAGER = "test"
PREVIEWS = "popup.staging.example.com"
HOST = "orders.staging.example.com"
DEPLOYER = "system:serviceaccount:preview-1:deployer"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
ADMISSION = "kubernetes:admissionregistration.k8s.io/v1:"


@pytest.fixture(scope="module")
def staging() -> Recording:
    return run_stack("staging")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Access to an API server."""
    with real_cluster(tmp_path_factory.mktemp("gateway")) as (fleet, cluster):
        yield fleet.kubeconfig(cluster)


@pytest.fixture(scope="module")
def server(kubeconfig: str, staging: Recording) -> Api:
    """The API server with the namespaces and admission policies of staging's gateway."""
    api = Api(kubeconfig)
    for definition in definitions("gateways", "httproutes"):
        create(api, definition)
    wait_for(lambda: api.place("gateway.networking.k8s.io/v1", "HTTPRoute"), early=ApiError)
    namespaces = staging.of_type("kubernetes:core/v1:Namespace")
    for name in ("gateway-namespace", "tenant-orders-namespace", "preview-namespaces-preview-1-namespace"):
        create(api, namespaces[name].inputs)
    create(api, staging.resource(f"{ADMISSION}ValidatingAdmissionPolicy", "gateway-hosts").inputs)
    create(api, staging.resource(f"{ADMISSION}ValidatingAdmissionPolicyBinding", "gateway-hosts-binding").inputs)
    foreign = route(staging, hostnames=["billing.staging.example.com"])
    wait_for(lambda: refusal(api, foreign))  # a policy is in force shortly after it is created
    return api


def create(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    return api.apply(api.place(body["apiVersion"], body["kind"]), body, manager=MANAGER, force=True)


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


def test_an_internal_gateway_and_a_route_to_it_are_valid(server: Api) -> None:
    """Its listener has a certificate by an option alone."""
    internal = run_stack("staging", internal_gateway.settings())
    gateway = create(server, internal.resource(GATEWAY, "gateway-gateway").inputs)
    https = gateway["spec"]["listeners"][0]
    assert https["tls"]["options"] == {"networking.gke.io/cert-manager-certs": "gateway-certificate-1a2b3c4"}
    assert refusal(server, route(internal)) == ""


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
        ({"namespace": "preview-1"}, f"hostnames must be SERVICE-pr-NUMBER.{PREVIEWS}"),
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


@pytest.fixture(scope="module")
def account(server: Api, staging: Recording) -> str:
    """The platform's account, with its rights in the preview namespace that the server has."""
    for kind, name in (
        ("ClusterRole", "host-role"),
        ("ClusterRole", "role"),
        ("RoleBinding", "preview-1-host-binding"),
        ("RoleBinding", "preview-1-preview-binding"),
    ):
        create(server, staging.resource(f"{RBAC}{kind}", f"preview-namespaces-{name}").inputs)
    binding = staging.resource(f"{RBAC}RoleBinding", "preview-namespaces-preview-1-host-binding")
    [subject] = binding.inputs["subjects"]
    return subject["name"]


def preview(host: str = f"orders-pr-12.{PREVIEWS}", *, service: str = "orders", **spec: Any) -> dict[str, Any]:
    """The route of a build as the job in Jenkins writes it, with another name and parts of it replaced."""
    staging = read_all()["staging"]
    assert staging.gateway is not None
    body = previews.route(staging.gateway, service, "12")
    body["metadata"]["namespace"] = "preview-1"
    body["spec"] |= {"hostnames": [host], **spec}
    return body


@pytest.mark.parametrize("pull", ["1", "12", "999999999"])
def test_a_build_has_the_host_of_its_service_and_its_pull_request(pull: str, server: Api) -> None:
    longest = "s" + "-" * 38 + "s"
    assert refusal(server, preview(f"orders-pr-{pull}.{PREVIEWS}")) == ""
    assert refusal(server, preview(f"{longest}-pr-{pull}.{PREVIEWS}", service=longest)) == ""
    assert refusal(server, preview(f"a-pr-1-pr-{pull}.{PREVIEWS}", service="a-pr-1")) == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"host": HOST}, f"hostnames must be SERVICE-pr-NUMBER.{PREVIEWS} in a preview namespace"),
        ({"host": f"*.{PREVIEWS}"}, "hostnames must be SERVICE-pr-NUMBER"),
        ({"host": PREVIEWS}, "hostnames must be SERVICE-pr-NUMBER"),
        ({"host": f"orders.{PREVIEWS}"}, "hostnames must be SERVICE-pr-NUMBER"),
        ({"host": f"orders-pr-012.{PREVIEWS}"}, "hostnames must be SERVICE-pr-NUMBER"),
        ({"host": f"a.orders-pr-12.{PREVIEWS}"}, "hostnames must be SERVICE-pr-NUMBER"),
        ({"host": "orders-pr-12.popup.example.com"}, "hostnames must be SERVICE-pr-NUMBER"),
        ({"host": f"orders-pr-12.x{PREVIEWS}"}, "hostnames must be SERVICE-pr-NUMBER"),
        (
            {"hostnames": [f"orders-pr-12.{PREVIEWS}", f"orders-pr-13.{PREVIEWS}"]},
            "hostnames must be SERVICE-pr-NUMBER",
        ),
        ({"hostnames": []}, "hostnames must be SERVICE-pr-NUMBER"),
        (
            {"host": f"stock-pr-12.{PREVIEWS}"},
            "backendRefs must be Services behind the policies of the gateway (stock)",
        ),
        (
            {"rules": [{"backendRefs": [{"name": "without-policy", "port": 80}]}]},
            "backendRefs must be Services behind the policies of the gateway (orders)",
        ),
        (
            {"rules": [{"backendRefs": [{"name": "orders", "namespace": "orders", "port": 80}]}]},
            "backendRefs must be Services behind the policies",
        ),
    ],
)
def test_a_build_takes_no_other_host_and_leads_to_no_other_service(
    change: dict[str, Any], message: str, server: Api
) -> None:
    assert message in refusal(server, preview(**change))


def test_a_service_takes_no_host_of_a_build(server: Api, staging: Recording) -> None:
    taken = route(staging, hostnames=[f"orders-pr-12.{PREVIEWS}"])
    assert f"hostnames must be those of the namespace ({HOST})" in refusal(server, taken)


def test_only_the_account_of_the_platform_gives_a_build_its_host(kubeconfig: str, server: Api, account: str) -> None:
    """A chart is installed as the deployer of the namespace, and its pods can run as it."""
    place = server.place("gateway.networking.k8s.io/v1", "HTTPRoute")
    ours, chart = Api(kubeconfig, acting_as=account), Api(kubeconfig, acting_as=DEPLOYER)
    wait_for(lambda: ours.apply(place, preview(), manager="atwork", force=True), early=ApiError)
    with pytest.raises(ApiError, match="forbidden"):
        chart.apply(place, preview(), manager="helm", force=True)
    with pytest.raises(ApiError, match="forbidden"):
        chart.call("DELETE", place.path("preview-1", "orders-host"))
    elsewhere = preview()
    elsewhere["metadata"]["namespace"] = "orders"
    with pytest.raises(ApiError, match="forbidden"):
        ours.apply(place, elsewhere, manager="atwork", force=True)
    ours.call("DELETE", place.path("preview-1"))
    assert server.get(place, "preview-1", "orders-host") is None


@pytest.mark.parametrize("verb", ["create", "patch", "deletecollection"])
def test_a_chart_cannot_open_a_build_to_everybody(verb: str, server: Api, account: str) -> None:
    """Without GKE's policy, nothing is in front of a build."""
    group, resource = "networking.gke.io", "gcpbackendpolicies"
    assert may(server, account, verb, group, resource)
    assert not may(server, DEPLOYER, verb, group, resource)
    assert may(server, DEPLOYER, verb, group, "healthcheckpolicies")


def test_a_chart_leaves_the_client_of_the_proxy_alone(kubeconfig: str, server: Api, account: str) -> None:
    """Clearing a namespace, which the job does as the deployer, leaves its Secret too."""
    assert account
    recording = run_stack("staging", iap_client.settings())
    for kind, name in (("Policy", "iap-client"), ("PolicyBinding", "iap-client-binding")):
        create(
            server,
            recording.resource(f"{ADMISSION}ValidatingAdmission{kind}", f"preview-namespaces-preview-{name}").inputs,
        )
    chart, secrets = Api(kubeconfig, acting_as=DEPLOYER), server.place("v1", "Secret")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "iap-client", "namespace": "preview-1"}}
    other = {**secret, "metadata": {"name": "other", "namespace": "preview-1"}}
    create(server, secret)
    wait_for(lambda: "iap-client is the platform's" in refusal(chart, {**secret, "kind": "ServiceAccount"}))
    with pytest.raises(ApiError, match="iap-client is the platform's"):
        chart.apply(secrets, {**secret, "stringData": {"key": "mine"}}, manager="helm", force=True)
    with pytest.raises(ApiError, match="iap-client is the platform's"):
        chart.call("DELETE", secrets.path("preview-1", "iap-client"))
    assert refusal(chart, other) == ""
    chart.apply(secrets, other, manager="helm", force=True)
    chart.call("DELETE", f"{secrets.path('preview-1')}?fieldSelector=metadata.name!=iap-client")
    assert server.get(secrets, "preview-1", "other") is None
    assert server.get(secrets, "preview-1", "iap-client") is not None
    create(server, {**secret, "stringData": {"key": "next"}})


def may(api: Api, user: str, verb: str, group: str, resource: str) -> bool:
    attributes = {"namespace": "preview-1", "verb": verb, "group": group, "resource": resource}
    review = api.call(
        "POST",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        body={
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "resourceAttributes": attributes},
        },
    )
    return bool(review["status"]["allowed"])


def test_routes_of_a_build_attach_to_the_listener(server: Api, staging: Recording) -> None:
    listener = staging.resource(GATEWAY, "gateway-gateway").inputs["spec"]["listeners"][0]
    [parent] = preview()["spec"]["parentRefs"]
    assert parent["sectionName"] == listener["name"]
    namespace = server.get(server.place("v1", "Namespace"), "", "preview-1")
    assert namespace is not None
    wanted = listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"]
    assert wanted.items() <= namespace["metadata"]["labels"].items()


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
