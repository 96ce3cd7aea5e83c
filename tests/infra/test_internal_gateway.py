"""The internal class of the gateway: what is declared, what it does not have, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import internal_gateway, networks
from support.internal_gateway import PROXIES
from support.mocks import Recording
from support.policies import RULES, environments, violations
from support.program import cloud, run_stack

from atwork.environments.advice import polling_note
from atwork.environments.cost import estimate
from atwork.environments.prices import current
from components.monitoring.selection import select
from components.type_tokens import BACKEND_POLICY, GATEWAY, GATEWAY_POLICY, PROJECT_MEMBER, ROUTE, SUBNETWORK
from infra.catalog import read_all as read_services
from infra.config import STACKS, parse, read_all
from infra.environment_rules import check_together
from infra.errors import ConfigError
from infra.layout import SERVICES_FOLDER
from infra.monitored import monitored
from infra.needs import needs
from infra.service_composition import complete
from infra.stack import StackConfig

ADDRESS = "gcp:compute/address:Address"
AUTHORIZATION = "gcp:certificatemanager/dnsAuthorization:DnsAuthorization"
CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"
DOMAIN = "staging.example.com"
GLOBAL = {
    "gcp:compute/globalAddress:GlobalAddress",
    "gcp:compute/sSLPolicy:SSLPolicy",
    "gcp:compute/securityPolicy:SecurityPolicy",
    "gcp:certificatemanager/certificateMap:CertificateMap",
    "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry",
}
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
RECORD = "gcp:dns/recordSet:RecordSet"
TLS = "gcp:compute/regionSslPolicy:RegionSslPolicy"
UPTIME = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"


@pytest.fixture(scope="module")
def internal() -> Recording:
    return run_stack("staging", internal_gateway.settings())


@pytest.fixture(scope="module")
def shared() -> Recording:
    """In the subnet of a Shared VPC."""
    network = {**networks.SHARED, "proxies": PROXIES}
    return run_stack("staging", {**internal_gateway.settings(), "network": network})


def test_the_load_balancer_stands_on_parts_of_its_region(internal: Recording) -> None:
    address = internal.resource(ADDRESS, "gateway-address")
    assert {key: address.inputs[key] for key in ("addressType", "purpose", "region", "subnetwork")} == {
        "addressType": "INTERNAL",
        "purpose": "SHARED_LOADBALANCER_VIP",
        "region": "europe-west1",
        "subnetwork": "network-subnet-id",
    }
    assert address.protect
    assert "networkTier" not in address.inputs
    tls = internal.resource(TLS, "gateway-tls").inputs
    assert (tls["region"], tls["minTlsVersion"], tls["profile"]) == ("europe-west1", "TLS_1_2", "MODERN")
    assert {kind for kind in GLOBAL if internal.of_type(kind)} == set()


def test_the_proxies_have_a_subnet_of_their_own(internal: Recording, recordings: dict[str, Recording]) -> None:
    subnet = internal.resource(SUBNETWORK, "network-proxies").inputs
    assert {key: subnet[key] for key in ("ipCidrRange", "purpose", "role", "region")} == {
        "ipCidrRange": PROXIES,
        "purpose": "REGIONAL_MANAGED_PROXY",
        "role": "ACTIVE",
        "region": "europe-west1",
    }
    assert "logConfig" not in subnet
    assert set(recordings["staging"].of_type(SUBNETWORK)) == {"network-subnet"}


def test_the_certificate_is_of_the_region_and_in_the_listener(internal: Recording) -> None:
    authorization = internal.resource(AUTHORIZATION, "gateway-authorization").inputs
    assert (authorization["location"], authorization["type"]) == ("europe-west1", "PER_PROJECT_RECORD")
    certificate = internal.resource(CERTIFICATE, "gateway-certificate").inputs
    assert certificate["location"] == "europe-west1"
    assert certificate["managed"]["domains"] == [DOMAIN, f"*.{DOMAIN}"]
    record = internal.resource(RECORD, "gateway-authorization-record").inputs
    assert (record["name"], record["type"]) == (f"_acme-challenge_4f1a.{DOMAIN}.", "CNAME")
    gateway = internal.resource(GATEWAY, "gateway-gateway").inputs
    assert (gateway["metadata"]["name"], gateway["spec"]["gatewayClassName"]) == ("internal", "gke-l7-rilb")
    assert "annotations" not in gateway["metadata"]
    https, http = gateway["spec"]["listeners"]
    assert https["tls"] == {
        "mode": "Terminate",
        "options": {"networking.gke.io/cert-manager-certs": "gateway-certificate-1a2b3c4"},
    }
    assert "tls" not in http
    assert gateway["spec"]["addresses"] == [{"type": "NamedAddress", "value": address_name(internal)}]


def address_name(recording: Recording) -> str:
    return str(recording.resource(ADDRESS, "gateway-address").inputs["name"])


@pytest.mark.parametrize("wide", [True, False])
def test_clients_of_other_regions_come_in_where_settings_say_so(*, wide: bool) -> None:
    recording = run_stack("staging", internal_gateway.settings(internal={"global_access": wide}))
    [policy] = recording.of_type(GATEWAY_POLICY).values()
    assert policy.inputs["spec"]["default"] == {"sslPolicy": "gateway", "allowGlobalAccess": wide}
    assert policy.inputs["spec"]["targetRef"]["name"] == "internal"


def test_a_host_has_a_record_a_route_and_a_policy(internal: Recording) -> None:
    assert internal.resource(RECORD, "service-orders-record").inputs["rrdatas"] == ["203.0.113.10"]
    route = internal.resource(ROUTE, "service-orders-route").inputs["spec"]
    assert route["parentRefs"] == [{"name": "internal", "namespace": "gateway", "sectionName": "https"}]
    default = internal.resource(BACKEND_POLICY, "service-orders-backend").inputs["spec"]["default"]
    assert default == {"timeoutSec": 30, "logging": {"enabled": True, "sampleRate": 1_000_000}}
    redirect = internal.resource(ROUTE, "gateway-redirect").inputs["spec"]
    assert redirect["parentRefs"] == [{"name": "internal", "sectionName": "http"}]


def callers(recording: Recording, name: str) -> set[str]:
    """Addresses from which a network policy lets connections in."""
    rules = recording.resource(POLICY, name).inputs["spec"]["ingress"]
    return {peer["ipBlock"]["cidr"] for rule in rules for peer in rule["from"] if "ipBlock" in peer}


def test_pods_take_requests_from_the_proxies(internal: Recording, recordings: dict[str, Recording]) -> None:
    checks = {"35.191.0.0/16", "130.211.0.0/22"}
    assert callers(internal, "tenant-orders-allow-in") == {*checks, PROXIES}
    assert callers(recordings["staging"], "tenant-orders-allow-in") == checks


def test_the_load_balancer_is_removed_before_what_it_uses(internal: Recording) -> None:
    before = {urn.rpartition("::")[2] for urn in internal.resource(GATEWAY, "gateway-gateway").depends_on}
    assert {"gateway-address", "gateway-certificate", "gateway-tls", "network-proxies"} <= before


def test_it_has_few_resources(internal: Recording, recordings: dict[str, Recording]) -> None:
    """The budget is 25 for a gateway."""
    without = {key for key in recordings["staging"].resources if "gateway" not in key and "preview-hosts" not in key}
    added = [item for urn, item in internal.resources.items() if urn not in without and "orders" not in item.name]
    assert 10 < len(added) <= 25


def test_nobody_passes_a_proxy_and_no_host_is_asked_from_outside(internal: Recording) -> None:
    roles = {item.inputs["role"] for item in internal.of_type(PROJECT_MEMBER).values()}
    assert "roles/iap.httpsResourceAccessor" not in roles
    assert internal.of_type(UPTIME) == {}
    assert {name for name in internal.resources if "preview-hosts" in name} == set()
    exported = internal.exports["gateway"]
    assert set(exported) == {"domain", "address", "certificate"}
    environment = monitored(internal_gateway.config(), "atwork-staging")
    assert environment is not None
    left_out = {item.rule.id: item.reason for item in select(environment).left_out}
    assert left_out["uptime-fails"] == "the environment has no host that the internet reaches"


def test_builds_have_no_hosts() -> None:
    assert internal_gateway.config().preview_domain is None


def test_the_policies_accept_it(internal: Recording) -> None:
    declared = environments({"staging": internal})["staging"]
    names = ("gateway-armored", "gateway-internal", "gateway-https", "gateway-tls", "route-https", "subnet-logged")
    assert {name: violations(RULES[name], declared) for name in names} == {name: [] for name in names}
    assert any(item.type == BACKEND_POLICY for item in declared)


def test_a_missing_output_of_the_cloud_stops_nothing() -> None:
    """A provider may return an authorization without its record."""

    def incomplete(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        return {} if "dns" in token.lower() else cloud(token, name, inputs)

    recording = run_stack("staging", internal_gateway.settings(), outputs=incomplete)
    record = recording.resource(RECORD, "gateway-authorization-record").inputs
    assert record["name"] == f"_acme-challenge_missing.{DOMAIN}."


@pytest.mark.parametrize(
    ("gateway", "network", "message"),
    [
        ({"waf": {}}, {}, r"gateway: waf: is for hosts that the internet reaches"),
        ({"iap": {"groups": ["a@example.com"]}}, {}, r"gateway: iap: is for an external gateway"),
        (
            {},
            {"proxies": None},
            r"gateway\.internal: its load balancer needs a proxy-only subnet; add network\.proxies",
        ),
        ({}, {"proxies": "10.32.0.0/27"}, r"network: proxies 10\.32\.0\.0/27 is too small; it needs a /26 or larger"),
        ({}, {"proxies": "10.0.16.0/26"}, r"proxies 10\.0\.16\.0/26; choose disjoint ranges"),
        ({}, {"proxies": "203.0.113.0/26"}, r"network\.proxies: "),
        ({"internal": {"proxies": "10.32.0.0/24"}}, {}, r"gateway\.internal\.proxies: unknown key; remove it"),
        ({"internal": True}, {}, r"gateway\.internal: "),
    ],
)
def test_a_gateway_that_does_not_work_is_refused(
    gateway: dict[str, Any], network: dict[str, Any], message: str
) -> None:
    document = internal_gateway.settings(**gateway)
    document["network"] |= network
    with pytest.raises(ConfigError, match=message):
        parse("staging", json.dumps(document))


@pytest.mark.parametrize("gateway", [{}, {"waf": None}, {"internal": {"global_access": True}}, {"log_sampling": 0}])
def test_an_internal_gateway_is_accepted(gateway: dict[str, Any]) -> None:
    config = internal_gateway.config(**gateway).gateway
    assert config is not None
    assert config.firewall is None


def test_a_public_host_is_refused() -> None:
    services = dict(read_services(STACKS.parent / SERVICES_FOLDER))
    orders = services["orders"]
    place = orders.environments["staging"].model_copy(update={"public": True})
    services["orders"] = orders.model_copy(update={"environments": {**orders.environments, "staging": place}})
    message = r"environments\.staging\.public: the gateway of stacks/Pulumi\.staging\.yaml is internal.*; remove public"
    with pytest.raises(ConfigError, match=message):
        complete("staging", internal_gateway.config(), services)


def test_proxies_of_two_environments_are_disjoint() -> None:
    document = internal_gateway.settings("production")
    document["network"]["proxies"] = "10.32.0.0/25"
    environments = {**read_all(), "staging": internal_gateway.config(), "production": parsed("production", document)}
    with pytest.raises(ConfigError, match=r"network\.proxies: 10\.32\.0\.0/2\d overlaps proxies 10\.32\.0\.0/2\d of"):
        check_together(environments)


def parsed(stack: str, document: dict[str, Any]) -> StackConfig:
    return parse(stack, json.dumps(document))


def in_one_network(proxies: str, **existing: str) -> dict[str, StackConfig]:
    """Staging and production in one network of somebody else, each with a subnet for its nodes."""
    production = {
        "existing": {**networks.EXISTING, "subnetwork": "production", **existing},
        "nodes": "10.0.32.0/20",
        "pods": "10.66.0.0/16",
        "proxies": proxies,
    }
    return {
        **read_all(),
        "staging": parsed("staging", networks.settings(proxies=PROXIES)),
        "production": parsed("production", networks.settings("production", **production)),
    }


def test_environments_in_one_network_share_its_proxies() -> None:
    check_together(in_one_network(PROXIES))
    with pytest.raises(ConfigError, match=r"network\.proxies: 10\.32\.0\.0/2\d overlaps proxies"):
        check_together(in_one_network("10.32.0.0/25"))
    with pytest.raises(ConfigError, match=r"network\.proxies: .* overlaps proxies"):
        check_together(in_one_network(PROXIES, network="another-vpc"))


def test_a_network_of_somebody_else_has_its_proxies_already(shared: Recording) -> None:
    assert shared.of_type(SUBNETWORK) == {}
    assert shared.resource(ADDRESS, "gateway-address").inputs["subnetwork"] == networks.SUBNETWORK
    assert PROXIES in callers(shared, "tenant-orders-allow-in")


def test_its_address_is_counted_among_those_of_the_nodes() -> None:
    """The load balancer takes one, and the proxies are no room for pods."""
    inside, outside = internal_gateway.config(), read_all()["staging"]
    counted = [
        {need.name: (need.count, need.most) for need in needs("staging", config) if "network." in need.name}
        for config in (inside, outside)
    ]
    [of_nodes] = [name for name in counted[0] if "addresses of network.nodes" in name]
    assert counted[0][of_nodes][0] == counted[1][of_nodes][0] + 1
    assert {key: value for key, value in counted[0].items() if key != of_nodes} == {
        key: value for key, value in counted[1].items() if key != of_nodes
    }


def test_the_estimate_names_its_proxies() -> None:
    result = estimate(internal_gateway.config(), current())
    assert "load balancer of the gateway" in {line.name for line in result.lines}
    assert {"proxies of the gateway's internal load balancer", "public DNS zone of the gateway"} <= set(result.unpriced)


class TestJenkins:
    """Jenkins behind an internal gateway: people reach it from the network, and GitHub does not."""

    def test_github_does_not_call(self) -> None:
        recording = run_stack("ci", internal_gateway.settings("ci"))
        [values] = [item.inputs for item in recording.of_type("kubernetes:helm.sh/v3:Release").values()]
        text = json.dumps(values)
        assert "github-webhook" not in text
        assert '"jenkins-webhook"' not in text
        assert '"iap"' not in text
        assert values["values"]["controller"]["httpRoute"] == {
            "enabled": True,
            "parentRefs": [{"name": "internal", "namespace": "gateway", "sectionName": "https"}],
            "hostnames": ["jenkins.ci.example.com"],
        }
        readers = recording.of_type("gcp:secretmanager/secretIamMember:SecretIamMember")
        assert [name for name in readers if "webhook" in name] == []
        assert PROXIES in callers(recording, "jenkins-controller-traffic")
        assert recording.of_type(UPTIME) == {}
        namespace = recording.resource("kubernetes:core/v1:Namespace", "jenkins-controller-namespace").inputs[
            "metadata"
        ]
        assert namespace["annotations"]["atwork.dev/backends"] == "jenkins"

    def test_it_asks_for_pushes_and_says_so(self) -> None:
        note = polling_note("ci", internal_gateway.config("ci"))
        assert "jenkins.gateway.internal: no call of GitHub reaches Jenkins" in note
        assert "every 5 minutes" in note

    @pytest.mark.parametrize(
        ("gateway", "jenkins", "message"),
        [
            ({}, {}, r"jenkins\.gateway\.internal: the stack's gateway is internal.*write true"),
            (
                {"internal": None},
                {"internal": True},
                r"jenkins\.gateway\.internal: the stack's gateway is not internal",
            ),
        ],
    )
    def test_both_sections_say_the_same(self, gateway: dict[str, Any], jenkins: dict[str, Any], message: str) -> None:
        document = internal_gateway.settings("ci", **gateway)
        document["jenkins"]["gateway"] = jenkins
        with pytest.raises(ConfigError, match=message):
            parse("ci", json.dumps(document))
