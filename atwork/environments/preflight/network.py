"""Checks of a network that somebody else owns: whether it is prepared as docs/existing-network.md asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.bootstrap.shared_network import rights
from atwork.environments.preflight.check import Check, ask
from components.existing_network import ExistingNetworkSettings
from components.google_dns import PRIVATE_GOOGLE_ZONES
from components.network_settings import PROXY_ONLY
from components.redis import SERVICE_CLASS
from infra.stack import StackConfig

NAMES = ("subnet", "network services")
SHARED = ("Shared VPC", "rights in the network")
COMPUTE = "https://compute.googleapis.com/compute/v1"
PAGE = "docs/existing-network.md"


def names(config: StackConfig) -> tuple[str, ...]:
    """Names of the checks of an environment; none where it creates its own network."""
    existing = config.network.existing
    if existing is None:
        return ()
    return (*NAMES, *(SHARED if existing.owner(config.project.id) != config.project.id else ()))


def checks(google: Google, config: StackConfig) -> Iterator[Check]:
    """Check the network; nothing in it is changed."""
    existing = config.network.existing
    if existing is None:
        return
    owner = existing.owner(config.project.id)
    fix = f"ask the owner of the network for roles/compute.networkViewer and roles/dns.reader on {owner}"
    yield ask(NAMES[0], fix, lambda: _subnet(google, config, existing))
    yield ask(NAMES[1], fix, lambda: _services(google, config, existing))
    if owner != config.project.id:
        fix = f"ask the owner of the network for roles/compute.viewer on {owner}"
        yield ask(SHARED[0], fix, lambda: _attached(google, config.project.id, owner))


def rights_check(google: Google, plan: BootstrapPlan) -> Iterator[Check]:
    """Check that agents of Google and updates may use the subnet of a Shared VPC."""
    number = plan.config.project.number
    if plan.host_project and number is not None:
        fix = f"ask the owner of the network for roles/iam.securityReviewer on {plan.host_project}"
        yield ask(SHARED[1], fix, lambda: _rights(google, plan, number))
    elif plan.host_project:
        yield Check(SHARED[1], None, "bootstrap grants them, when the project exists")


def _subnet(google: Google, config: StackConfig, existing: ExistingNetworkSettings) -> Check:
    from google.api_core.exceptions import NotFound

    name = existing.subnetwork_id(config.project.id, config.region)
    try:
        subnet = google.call("GET", f"{COMPUTE}/{name}")
    except NotFound:
        return Check(NAMES[0], ok=False, detail=f"{name} does not exist", fix="correct network.existing")
    mistakes = [*_subnet_mistakes(subnet, config, existing)]
    words = "; ".join(mistakes) or f"{existing.subnetwork}, with the ranges of the stack file"
    return Check(NAMES[0], not mistakes, words, f"correct the stack file, or see {PAGE}" if mistakes else "")


def _subnet_mistakes(subnet: dict[str, Any], config: StackConfig, existing: ExistingNetworkSettings) -> Iterator[str]:
    network = existing.network_id(config.project.id)
    if not str(subnet.get("network", "")).endswith(network):
        yield f"{existing.subnetwork} is in {subnet.get('network')}, not in {network}"
    there = {str(item["rangeName"]): str(item["ipCidrRange"]) for item in subnet.get("secondaryIpRanges", [])}
    wanted = {existing.pods_range: config.network.pods, **config.network.extra_pods}
    if subnet.get("ipCidrRange") != config.network.nodes:
        yield f"its primary range is {subnet.get('ipCidrRange')}, and network.nodes is {config.network.nodes}"
    for name, block in wanted.items():
        if there.get(name) != block:
            has = f"is {there[name]}" if name in there else f"does not exist (it has {', '.join(there) or 'none'})"
            yield f"its secondary range {name} {has}, and the stack file states {block}"
    if not subnet.get("privateIpGoogleAccess"):
        yield "Private Google Access is off, and nodes without public addresses do not reach Google's APIs"


def _services(google: Google, config: StackConfig, existing: ExistingNetworkSettings) -> Check:
    missing = [*_missing_services(google, config, existing)]
    words = f"missing: {', '.join(missing)}" if missing else "Cloud NAT, private DNS and private endpoints are prepared"
    return Check(
        NAMES[1], not missing, words, f"ask the owner of the network; {PAGE} has the commands" if missing else ""
    )


def _missing_services(google: Google, config: StackConfig, existing: ExistingNetworkSettings) -> Iterator[str]:
    owner, network = existing.owner(config.project.id), existing.network_id(config.project.id)
    routers = google.call("GET", f"{COMPUTE}/projects/{owner}/regions/{config.region}/routers").get("items", [])
    if not any(router.get("nats") for router in routers if str(router.get("network", "")).endswith(network)):
        yield f"Cloud NAT in {config.region}"
    zones = google.call("GET", f"https://dns.googleapis.com/dns/v1/projects/{owner}/managedZones")
    answered = {zone.get("dnsName") for zone in zones.get("managedZones", []) if _is_bound(zone, network)}
    for domain in PRIVATE_GOOGLE_ZONES.values():
        if domain not in answered:
            yield f"a private DNS zone {domain}"
    if config.network.proxies is not None and not _has_proxies(google, config, owner, network):
        yield f"an active proxy-only subnet {config.network.proxies} in {config.region}"
    wanted = [*(["google-cloud-sql"] if config.databases else []), *([SERVICE_CLASS] if config.redis() else [])]
    if wanted:
        where = f"projects/{owner}/locations/{config.region}"
        url = f"https://networkconnectivity.googleapis.com/v1/{where}/serviceConnectionPolicies"
        policies = google.call("GET", url).get("serviceConnectionPolicies", [])
        present = {each.get("serviceClass") for each in policies if str(each.get("network", "")).endswith(network)}
        for service_class in wanted:
            if service_class not in present:
                yield f"a service connection policy of {service_class} in {config.region}"


def _has_proxies(google: Google, config: StackConfig, owner: str, network: str) -> bool:
    """Whether internal load balancers of the region send requests from `network.proxies`."""
    subnets = google.call("GET", f"{COMPUTE}/projects/{owner}/regions/{config.region}/subnetworks").get("items", [])
    return any(
        (subnet.get("purpose"), subnet.get("role"), subnet.get("ipCidrRange"))
        == (PROXY_ONLY, "ACTIVE", config.network.proxies)
        for subnet in subnets
        if str(subnet.get("network", "")).endswith(network)
    )


def _is_bound(zone: dict[str, Any], network: str) -> bool:
    networks = (zone.get("privateVisibilityConfig") or {}).get("networks", [])
    return any(str(item.get("networkUrl", "")).endswith(network) for item in networks)


def _attached(google: Google, project: str, owner: str) -> Check:
    host = str(google.call("GET", f"{COMPUTE}/projects/{project}/getXpnHost").get("name", ""))
    words = f"{project} is a service project of {host}" if host else f"{project} is not a service project"
    command = f"gcloud compute shared-vpc associated-projects add {project} --host-project={owner}"
    return Check(
        SHARED[0], host == owner, words, "" if host == owner else f"ask the owner of the network for `{command}`"
    )


def _rights(google: Google, plan: BootstrapPlan, number: str) -> Check:
    missing: list[str] = []
    for resource, grants in rights(plan, number).items():
        bindings = resource.read(google).get("bindings", [])
        held = {(binding["role"], member) for binding in bindings for member in binding.get("members", [])}
        missing += [f"{grant.role} of {grant.member}" for grant in grants if (grant.role, grant.member) not in held]
    words = f"missing: {', '.join(missing)}" if missing else "those that bootstrap grants"
    fix = f"atwork environment bootstrap {plan.name}, or let the owner run the commands of its --dry-run"
    return Check(SHARED[1], not missing, words, fix if missing else "")
