"""Hosts: what is refused, and that each one has exactly one record, one certificate that covers it and one route."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import internal_gateway
from support.changed import changed
from support.mocks import Recording
from support.program import cloud, run_stack

from components.gateway.certificate import status
from components.gateway.names import preview_domain, preview_host
from components.gateway.settings import GatewaySettings, IapSettings, WafSettings
from components.type_tokens import BACKEND_POLICY, GATEWAY, ROUTE
from infra.catalog import read_all as read_services
from infra.config import STACKS, check_services, parse, read_all, read_file, with_services
from infra.environment_rules import check_together
from infra.errors import ConfigError
from infra.layout import SERVICES_FOLDER, STACKS_FOLDER
from infra.service_composition import complete
from infra.services import LONGEST_NAME

RECORD = "gcp:dns/recordSet:RecordSet"
DOMAIN = "staging.example.com"


def catalog(folder: Path, **places: dict[str, Any] | None) -> Path:
    """Services with these settings in staging."""
    for name, place in places.items():
        about = {
            "owner": "team-a",
            "repository": f"https://github.com/acme/{name}",
            "channel": "#a",
            "environments": {"staging": place or {}},
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(about))
    return folder


@pytest.mark.parametrize(
    ("place", "gateway", "message"),
    [
        (
            {"host": "stock.example.com"},
            {},
            r"services/stock\.yaml: environments\.staging\.host: stock\.example\.com is not in gateway\.domain .*; write NAME\.",
        ),
        ({"host": "a.stock.staging.example.com"}, {}, r"is more than one label below gateway\.domain"),
        ({"host": "*.staging.example.com"}, {}, r"environments\.staging\.host: .*\*.* is not valid; write a full host"),
        ({"host": "staging.example.com.evil.com"}, {}, r"is not in gateway\.domain"),
        ({"host": "xstaging.example.com"}, {}, r"is not in gateway\.domain"),
        (
            {"host": "stock.staging.example.com"},
            {"iap": None},
            r"environments\.staging\.host: is not public, and stacks/Pulumi\.staging\.yaml admits nobody; add gateway\.iap",
        ),
        (
            {"host": "stock.staging.example.com", "public": True},
            {"waf": None},
            r"environments\.staging\.public: .* has no web application firewall; remove gateway\.waf: null there",
        ),
        ({"public": True}, {}, r"environments\.staging\.public: there is no host; add host, or remove public"),
    ],
)
def test_a_host_that_nobody_can_reach_is_refused(
    place: dict[str, Any], gateway: dict[str, Any], message: str, tmp_path: Path
) -> None:
    staging = read_all()["staging"]
    assert staging.gateway is not None
    config = changed(staging, gateway=changed(staging.gateway, **gateway))
    with pytest.raises(ConfigError, match=message):
        complete("staging", config, read_services(catalog(tmp_path, stock=place)))


@pytest.mark.parametrize(
    ("place", "gateway"),
    [
        ({"host": "stock.staging.example.com"}, {}),
        ({"host": "staging.example.com"}, {}),
        ({"host": "stock.staging.example.com"}, {"waf": None}),
        ({"host": "stock.staging.example.com", "public": True}, {"iap": None}),
    ],
)
def test_a_host_in_the_domain_is_accepted(place: dict[str, Any], gateway: dict[str, Any], tmp_path: Path) -> None:
    staging = read_all()["staging"]
    assert staging.gateway is not None
    config = changed(staging, gateway=changed(staging.gateway, **gateway))
    assert "stock" in complete("staging", config, read_services(catalog(tmp_path, stock=place))).tenants


def test_a_host_needs_a_gateway(tmp_path: Path) -> None:
    services = read_services(catalog(tmp_path, stock={"host": "stock.staging.example.com"}))
    message = r"environments\.staging\.host: stacks/Pulumi\.staging\.yaml has no gateway, so that nothing answers"
    with pytest.raises(ConfigError, match=message):
        complete("staging", changed(read_all()["staging"], gateway=None), services)


def test_two_services_have_no_host_together(tmp_path: Path) -> None:
    place = {"host": "stock.staging.example.com"}
    with pytest.raises(ConfigError, match=r"host: stock\.staging\.example\.com is services/bills\.yaml's already"):
        read_services(catalog(tmp_path, bills=place, stock=place))


def test_a_service_does_not_take_the_host_of_jenkins(tmp_path: Path) -> None:
    about = yaml.safe_load((catalog(tmp_path, stock={}) / "stock.yaml").read_text())
    about["environments"] = {"ci": {"host": "jenkins.ci.example.com"}}
    (tmp_path / "stock.yaml").write_text(yaml.safe_dump(about))
    with pytest.raises(ConfigError, match=r"jenkins\.ci\.example\.com is jenkins's in stacks/Pulumi\.ci\.yaml"):
        complete("ci", read_all()["ci"], read_services(tmp_path))


def test_an_ephemeral_environment_has_no_host(tmp_path: Path) -> None:
    about = yaml.safe_load((catalog(tmp_path, stock={}) / "stock.yaml").read_text())
    (tmp_path / "stock.yaml").write_text(yaml.safe_dump({**about, "ephemeral": {"host": "a.example.com"}}))
    with pytest.raises(
        ConfigError, match=r"ephemeral\.host: an ephemeral environment has no gateway; remove it, and use"
    ):
        read_services(tmp_path)


@pytest.mark.parametrize("name", ["gateway"])
def test_the_namespace_of_the_gateway_is_no_services_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the name is reserved for the namespace of the gateway; rename the file"):
        read_services(catalog(tmp_path, **{name: {}}))


def stack(name: str, **changes: Any) -> str:
    document = json.loads(read_file(STACKS / f"Pulumi.{name}.yaml"))
    for path, value in changes.items():
        inner: Any = document
        *folders, last = path.split("__")
        for folder in folders:
            inner = inner[folder]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("staging", {"gateway__dns": {}}, r"gateway\.dns: the domain needs one zone; write .*delegated: true"),
        ("staging", {"gateway__dns": {"delegated": True, "zone": "a"}}, r"gateway\.dns: the domain needs one zone"),
        ("staging", {"gateway__dns": None}, r'gateway\.dns: missing; add it, such as \{"delegated": true\}$'),
        ("staging", {"gateway__domain": "*.example.com"}, r"gateway\.domain: .* is not valid; write a full host name"),
        ("staging", {"gateway__iap": {"groups": []}}, r"gateway\.iap\.groups: is empty; write a list"),
        ("staging", {"gateway__waf": {"rules": ["sqli"]}}, r"gateway\.waf\.rules\.\d: .sqli. is not possible"),
        ("ci", {"gateway": None}, r"jenkins\.gateway: the stack has no gateway; add gateway"),
        ("ci", {"gateway__iap": None}, r"jenkins\.gateway: nobody is admitted; add gateway\.iap with groups"),
        ("ci", {"gateway__domain": "other.example.com"}, r"jenkins\.hostname: jenkins\.ci\.example\.com is not in"),
    ],
)
def test_a_gateway_that_does_not_work_is_refused(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(name, stack(name, **changes))


def test_jenkins_needs_the_firewall_for_the_calls_of_github() -> None:
    document = json.loads(read_file(STACKS / "Pulumi.ci.yaml"))
    document["gateway"]["waf"] = None
    with pytest.raises(
        ConfigError, match=r"jenkins\.gateway: GitHub's calls come without a login; remove gateway\.waf"
    ):
        parse("ci", json.dumps(document))


def test_a_gateway_made_by_hand_still_serves_jenkins() -> None:
    changes = {"gateway": None, "jenkins__gateway": {"name": "external", "namespace": "edge"}}
    assert parse("ci", stack("ci", **changes)).gateway is None


def test_two_environments_have_no_domain_together() -> None:
    environments = read_all()
    production = environments["production"]
    assert production.gateway is not None
    twice = changed(production, gateway=changed(production.gateway, domain=DOMAIN))
    with pytest.raises(ConfigError, match=r"gateway\.domain: staging\.example\.com is the domain of \w+ already"):
        check_together({**environments, "production": twice})


def test_no_environment_has_the_domain_of_preview_namespaces() -> None:
    environments = read_all()
    production, taken = environments["production"], preview_domain(DOMAIN)
    assert production.gateway is not None
    twice = changed(production, gateway=changed(production.gateway, domain=taken))
    message = rf"Pulumi\.production\.yaml: .*gateway\.domain: {taken} is the domain of preview namespaces of staging"
    with pytest.raises(ConfigError, match=message):
        check_together({**environments, "production": twice})


def test_jenkins_does_not_take_the_domain_of_another_environment() -> None:
    environments = read_all()
    production = environments["production"]
    assert production.gateway is not None
    taken = changed(production, gateway=changed(production.gateway, domain="jenkins.ci.example.com"))
    with pytest.raises(
        ConfigError, match=r"Pulumi\.ci\.yaml: .*jenkins\.hostname: jenkins\.ci\.example\.com is the dom"
    ):
        check_together({**environments, "production": taken})


@pytest.mark.parametrize("host", [DOMAIN, "ci.example.com"])
def test_a_service_does_not_take_the_domain_of_another_environment(host: str, tmp_path: Path) -> None:
    """Production's domain is example.com, and its certificate would cover them."""
    about = yaml.safe_load((catalog(tmp_path, stock={}) / "stock.yaml").read_text())
    (tmp_path / "stock.yaml").write_text(yaml.safe_dump({**about, "environments": {"production": {"host": host}}}))
    services = read_services(tmp_path)
    message = rf"services/stock\.yaml: environments\.production\.host: {host} is the domain of \w+, whose zone answers"
    for checked in (check_services, lambda *given: with_services("production", *given)):
        with pytest.raises(ConfigError, match=message):
            checked(read_all(), services)


def test_a_service_has_the_domain_of_its_own_environment(tmp_path: Path) -> None:
    services = read_services(catalog(tmp_path, stock={"host": DOMAIN}))
    check_services(read_all(), services)


@pytest.mark.parametrize("length", [193, 194])
def test_hosts_of_builds_fit_in_a_name(length: int) -> None:
    """The longest name of a service, and the number of a pull request with nine digits."""
    domain = f"{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * (length - 187)}.dev"
    assert len(domain) == length
    changes = {"gateway__domain": domain}
    longest = preview_host("s" * LONGEST_NAME, "9" * 9, domain)
    assert len(longest.partition(".")[0]) == 53
    if length == 193:
        assert len(longest) == 253
        assert parse("staging", stack("staging", **changes)).preview_domain == f"popup.{domain}"
        return
    message = "gateway.domain: hosts of preview namespaces would have 254 characters.*choose a domain of at most 193"
    with pytest.raises(ConfigError, match=message):
        parse("staging", stack("staging", **changes))


def test_builds_have_no_hosts_where_nobody_is_admitted() -> None:
    staging = read_all()["staging"]
    assert staging.gateway is not None
    assert staging.preview_domain == f"popup.{DOMAIN}"
    assert changed(staging, gateway=changed(staging.gateway, iap=None)).preview_domain is None
    assert changed(staging, gateway=None).preview_domain is None
    assert changed(staging, preview_namespaces=None).preview_domain is None


def test_hosts_of_builds_have_one_record_and_a_certificate_that_covers_them(recordings: dict[str, Recording]) -> None:
    recording = recordings["staging"]
    host = preview_host("orders", "12", DOMAIN)
    certificates = recording.of_type("gcp:certificatemanager/certificate:Certificate")
    covering = [
        name
        for name, item in certificates.items()
        if any(covers(domain, host) for domain in item.inputs["managed"]["domains"])
    ]
    assert covering == ["preview-hosts-certificate"]
    entry = recording.resource(
        "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry", "preview-hosts-certificates-entry"
    ).inputs
    assert (entry["map"], entry["hostname"]) == ("gateway", f"*.popup.{DOMAIN}")
    assert entry["certificates"] == ["preview-hosts-certificate-id"]
    assert "matcher" not in entry
    names = [item.inputs["name"].rstrip(".") for item in recording.of_type(RECORD).values()]
    assert [name for name in names if covers(name, host)] == [f"*.popup.{DOMAIN}"]
    own = [item for item in recording.resources.values() if _below(recording, item.urn, "preview-hosts")]
    assert len(own) <= 6  # with the component itself


@pytest.mark.parametrize(
    ("managed", "servers", "expected"),
    [
        ({"state": "ACTIVE"}, ["b.", "a."], "active"),
        ({"state": "PROVISIONING"}, ["b.", "a."], "pending: delegate d.com in the zone above it to NS a., b."),
        (None, ["a."], "pending: delegate d.com in the zone above it to NS a."),
        ({}, None, "pending: the certificate of d.com waits for its record in DNS"),
    ],
)
def test_the_output_says_what_the_certificate_waits_for(
    managed: dict[str, Any] | None, servers: list[str] | None, expected: str
) -> None:
    assert status("d.com", managed, servers) == expected


def test_the_delegation_is_an_output(recordings: dict[str, Recording]) -> None:
    assert recordings["staging"].exports["gateway"] == {
        "domain": DOMAIN,
        "address": "203.0.113.10",
        "certificate": f"pending: delegate {DOMAIN} in the zone above it to NS ns1.example., ns2.example.",
        "preview_domain": f"popup.{DOMAIN}",
        "preview_certificate": f"pending: the certificate of {preview_domain(DOMAIN)} waits for its record in DNS",
    }


def test_a_zone_that_exists_is_used_and_not_created() -> None:
    document = json.loads(stack("staging", gateway__dns={"zone": "company"}))
    recording = run_stack("staging", document)
    assert "gateway-zone" not in recording.of_type("gcp:dns/managedZone:ManagedZone")
    own = [item for item in recording.of_type(RECORD).values() if DOMAIN in item.inputs["name"]]
    assert {item.inputs["managedZone"] for item in own} == {"company"}


def test_a_missing_output_of_the_cloud_stops_nothing() -> None:
    """A provider may return an authorization without its record, and a zone without its name servers."""

    def incomplete(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        return {} if "dns" in token.lower() else cloud(token, name, inputs)

    exported = run_stack("staging", outputs=incomplete).exports["gateway"]
    assert exported["certificate"] == f"pending: the certificate of {DOMAIN} waits for its record in DNS"


def test_the_load_balancer_is_removed_before_what_it_uses(recordings: dict[str, Recording]) -> None:
    recording = recordings["staging"]
    before = {urn.rpartition("::")[2] for urn in recording.resource(GATEWAY, "gateway-gateway").depends_on}
    used = {"gateway-address", "gateway-certificate", "gateway-certificates", "gateway-tls", "gateway-armor"}
    assert used <= before


def test_a_gateway_and_a_host_have_few_resources(recordings: dict[str, Recording]) -> None:
    """The budget is 25 for a gateway with one group, and 3 for a host; monitoring adds one to a host."""
    recording = recordings["staging"]
    own = [item for item in recording.resources.values() if _below(recording, item.urn, "gateway")]
    apis = [item for item in recording.resources.values() if item.name.endswith(("-certificatemanager", "-iap"))]
    assert len(apis) == 2
    assert len(own) + len(apis) <= 25
    names = {"service-orders-record", "service-orders-route", "service-orders-backend", "service-orders-uptime"}
    assert {item.name for item in recording.resources.values() if item.name.startswith("service-orders-")} - names == {
        "service-orders-facts"
    }


def _below(recording: Recording, urn: str, name: str) -> bool:
    while urn in recording.resources:
        if recording.resources[urn].name == name:
            return True
        urn = recording.resources[urn].parent
    return False


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True).filter(lambda name: name != "gateway")
PLACES = st.fixed_dictionaries({"exposed": st.booleans(), "public": st.booleans()})


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(services=st.dictionaries(NAMES, PLACES, max_size=5), inside=st.booleans())
def test_every_host_has_one_record_one_certificate_and_one_route(
    services: dict[str, dict[str, bool]], tmp_path_factory: pytest.TempPathFactory, *, inside: bool
) -> None:
    """In both classes of the gateway; behind an internal one, no host is public."""
    root = tmp_path_factory.mktemp("checkout")
    (root / STACKS_FOLDER).symlink_to(STACKS)
    (root / SERVICES_FOLDER).mkdir()
    places = {
        f"s{name}": {"host": f"{name}.{DOMAIN}", "public": about["public"] and not inside} if about["exposed"] else {}
        for name, about in services.items()
    }
    catalog(root / SERVICES_FOLDER, **places)
    recording = run_stack("staging", internal_gateway.settings() if inside else None, root=root)
    hosts = {str(place["host"]): name for name, place in places.items() if "host" in place}
    records = Counter(item.inputs["name"] for item in recording.of_type(RECORD).values())
    routes = [item.inputs for item in recording.of_type(ROUTE).values() if item.inputs["spec"].get("hostnames")]
    certificate = recording.resource("gcp:certificatemanager/certificate:Certificate", "gateway-certificate")
    policies = {
        item.inputs["metadata"]["namespace"]: item.inputs for item in recording.of_type(BACKEND_POLICY).values()
    }
    annotated = {
        item.inputs["metadata"]["name"]: item.inputs["metadata"].get("annotations", {}).get("atwork.dev/hosts")
        for item in recording.of_type("kubernetes:core/v1:Namespace").values()
    }
    assert sorted(host for route in routes for host in route["spec"]["hostnames"]) == sorted(hosts)
    for host, name in hosts.items():
        assert records[f"{host}."] == 1
        covering = [item for item in certificate.inputs["managed"]["domains"] if covers(item, host)]
        assert len(covering) == 1
        [route] = [item for item in routes if item["spec"]["hostnames"] == [host]]
        assert route["metadata"]["namespace"] == name
        assert annotated[name] == host
        assert route["spec"]["parentRefs"][0]["name"] == ("internal" if inside else "main")
        default = policies[name]["spec"]["default"]
        assert default.get("securityPolicy") == (None if inside else "gateway")
        assert ("iap" in default) is (not inside and not places[name]["public"])
    assert {name for name, host in annotated.items() if host} == set(hosts.values())


def covers(domain: str, host: str) -> bool:
    """Whether a name in a certificate covers a host (RFC 6125, section 6.4.3)."""
    return domain == host or (domain.startswith("*.") and host.partition(".")[2] == domain[2:])


def test_the_default_firewall_previews_and_limits() -> None:
    gateway = GatewaySettings.model_validate_json(f'{{"domain": "{DOMAIN}", "dns": {{"delegated": true}}}}')
    assert gateway.waf == WafSettings()
    assert gateway.iap is None
    assert IapSettings(groups=("a@example.com",)).groups
