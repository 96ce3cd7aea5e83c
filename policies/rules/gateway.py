"""Rules for the way in: listeners, routes, firewall, TLS and the Identity-Aware Proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.gateway.names import IAP_ROLE, INTERNAL_GATEWAY, NAMESPACE
from components.gateway.routes import INTERNAL_CLASS
from components.type_tokens import BACKEND_POLICY, GATEWAY, PROJECT_MEMBER, ROUTE
from policies.rule import UNKNOWN, CheckedResource, StackContext, resource_rule, stack_rule

_CLIENT = ("spec.default.iap.clientID", "spec.default.iap.oauth2ClientSecret.name")
_INTERNAL = (INTERNAL_GATEWAY, NAMESPACE)
_RATES = ("throttle", "rate_based_ban")


@stack_rule("gateway-armored", BACKEND_POLICY, ROUTE, source="docs/adr/0034-gateway.md")
def armored(resources: Sequence[CheckedResource], _: StackContext) -> Iterator[tuple[CheckedResource, str]]:
    """What the internet reaches without the Identity-Aware Proxy is behind a Cloud Armor policy."""
    routes = [item for item in resources if item.type == ROUTE]
    for backend in resources:
        if backend.type != BACKEND_POLICY or not backend.lacks("spec.default.securityPolicy"):
            continue
        if backend.lacks("spec.default.iap.enabled") and not _is_internal(backend, routes):
            yield backend, "spec.default.securityPolicy is missing; name the Cloud Armor policy of the gateway"


@stack_rule("route-armored", ROUTE, BACKEND_POLICY, source="docs/adr/0034-gateway.md")
def route_armored(resources: Sequence[CheckedResource], _: StackContext) -> Iterator[tuple[CheckedResource, str]]:
    """Every Service that the internet reaches has a backend policy, which names its firewall or its proxy."""
    policies = [item for item in resources if item.type == BACKEND_POLICY]
    for route in resources:
        if route.type != ROUTE or _gateways(route) == {_INTERNAL}:
            continue
        for service in _services(route):
            if service is not UNKNOWN and not any(_is_about(policy, route, service) for policy in policies):
                yield (
                    route,
                    f"spec.rules: Service {service} has no GCPBackendPolicy; add one with the Cloud Armor policy",
                )


@resource_rule("gateway-internal", GATEWAY, source="docs/adr/0044-internal-gateway.md")
def internal(gateway: CheckedResource, _: StackContext) -> Iterator[str]:
    """The Gateway that routes take for internal has the class of internal load balancers."""
    if gateway.get("metadata.name") == INTERNAL_GATEWAY and gateway.get("metadata.namespace") in (NAMESPACE, UNKNOWN):
        yield from gateway.must("spec.gatewayClassName", be=INTERNAL_CLASS)


@resource_rule("gateway-https", GATEWAY, source="docs/adr/0034-gateway.md")
def https(gateway: CheckedResource, _: StackContext) -> Iterator[str]:
    """Only the redirect of the gateway's own namespace listens to plain HTTP."""
    for listener in _items(gateway.get("spec.listeners", ())):
        if listener.get("protocol", UNKNOWN) == "HTTP" and _attaches(listener) not in ("Same", UNKNOWN):
            yield "spec.listeners: takes routes of other namespaces by plain HTTP; allow namespaces from Same only"


@resource_rule("route-https", ROUTE, source="docs/adr/0034-gateway.md")
def route_by_https(route: CheckedResource, _: StackContext) -> Iterator[str]:
    """A route with a backend names its hosts and attaches to the listener for HTTPS."""
    rules = _items(route.get("spec.rules", ()))
    if all(rule.get("backendRefs", ()) in ((), [], UNKNOWN) for rule in rules):
        return
    if route.lacks("spec.hostnames"):
        yield "spec.hostnames is empty, which takes every host; name the hosts"
    for parent in _items(route.get("spec.parentRefs", ())):
        if parent.get("sectionName") not in ("https", UNKNOWN):
            yield "spec.parentRefs: a backend is not reached by HTTPS alone; write sectionName: https"


@resource_rule(
    "gateway-tls",
    "gcp:compute/sSLPolicy:SSLPolicy",
    "gcp:compute/regionSslPolicy:RegionSslPolicy",
    source="CIS GCP 3.9; checkov CKV_GCP_4",
)
def tls(policy: CheckedResource, _: StackContext) -> Iterator[str]:
    """Load balancers take TLS 1.2 or later with modern ciphers."""
    yield from policy.must("minTlsVersion", be=("TLS_1_2", "TLS_1_3"))
    yield from policy.must("profile", be=("MODERN", "RESTRICTED", "FIPS_202205"))


@resource_rule("armor-rate-limit", "gcp:compute/securityPolicy:SecurityPolicy", source="docs/adr/0034-gateway.md")
def rate_limit(policy: CheckedResource, _: StackContext) -> Iterator[str]:
    """A Cloud Armor policy limits the requests of an address, and not only in preview."""
    rules = policy.get("rules", ())
    if rules is UNKNOWN or UNKNOWN in rules:
        return
    if not any(rule.get("action") in (*_RATES, UNKNOWN) and not _true(rule.get("preview")) for rule in _items(rules)):
        yield "rules: none limits the requests of an address; add one with the action throttle"


@stack_rule("iap-groups", GATEWAY, BACKEND_POLICY, PROJECT_MEMBER, source="CIS GCP 3.10")
def iap_groups(resources: Sequence[CheckedResource], _: StackContext) -> Iterator[tuple[CheckedResource, str]]:
    """The Identity-Aware Proxy admits groups, and somebody at all.

    The groups are in the stack with the Gateway; the stack of a group of services has hosts alone.
    """
    members = [item for item in resources if item.type == PROJECT_MEMBER and item.get("role") in (IAP_ROLE, UNKNOWN)]
    for member in members:
        who = member.get("member", UNKNOWN)
        if member.get("role") == IAP_ROLE and who is not UNKNOWN and not str(who).startswith("group:"):
            yield member, f"member {who} is no group; admit a Google Group to the Identity-Aware Proxy"
    if not any(item.type == GATEWAY for item in resources):
        return
    for item in resources:
        if item.type == BACKEND_POLICY and item.get("spec.default.iap.enabled") is True and not members:
            yield item, f"the Identity-Aware Proxy admits nobody; grant {IAP_ROLE} to a group"


@resource_rule("iap-client", BACKEND_POLICY, source="docs/adr/0047-iap-client.md")
def iap_client(backend: CheckedResource, _: StackContext) -> Iterator[str]:
    """An OAuth client of your own for the Identity-Aware Proxy has an ID and a secret."""
    missing = [key for key in _CLIENT if backend.lacks(key)]
    if len(missing) == 1:
        yield f"{missing[0]} is missing, and the rest of the client is there; add it, or remove the client"


@resource_rule("dns-signed", "gcp:dns/managedZone:ManagedZone", source="CIS GCP 3.3; checkov CKV_GCP_16")
def signed(zone: CheckedResource, _: StackContext) -> Iterator[str]:
    """Public zones sign their answers (DNSSEC)."""
    if zone.get("visibility", "public") == "public":
        yield from zone.must("dnssecConfig.state", be="on")


def _is_internal(backend: CheckedResource, routes: Sequence[CheckedResource]) -> bool:
    """Whether all routes to the Service of a policy are those of the internal Gateway, and there is one."""
    service, namespace = backend.get("spec.targetRef.name"), backend.get("metadata.namespace")
    gateways = [
        gateway
        for route in routes
        if route.get("metadata.namespace") == namespace and service in _services(route)
        for gateway in _gateways(route)
    ]
    return set(gateways) == {_INTERNAL}


def _gateways(route: CheckedResource) -> set[tuple[Any, Any]]:
    """Names and namespaces of the Gateways that a route attaches to."""
    return {(parent.get("name"), parent.get("namespace")) for parent in _items(route.get("spec.parentRefs", ()))}


def _services(route: CheckedResource) -> set[Any]:
    """Names of the Services that a route leads to."""
    rules = _items(route.get("spec.rules", ()))
    return {reference.get("name", UNKNOWN) for rule in rules for reference in _items(rule.get("backendRefs", ()))}


def _is_about(policy: CheckedResource, route: CheckedResource, service: Any) -> bool:
    """Whether a backend policy is about a Service of a route, or may be."""
    pairs = (
        (policy.get("spec.targetRef.name"), service),
        (policy.get("metadata.namespace"), route.get("metadata.namespace")),
    )
    return all(first is UNKNOWN or second is UNKNOWN or first == second for first, second in pairs)


def _items(value: Any) -> list[Mapping[str, Any]]:
    """The known entries of a list."""
    return [] if value is UNKNOWN else [item for item in value if item is not UNKNOWN]


def _attaches(listener: Mapping[str, Any]) -> Any:
    """From which namespaces routes attach to a listener; `Same` is the default of the Gateway API."""
    value: Any = listener
    for part in ("allowedRoutes", "namespaces", "from"):
        value = value.get(part, {}) if isinstance(value, Mapping) else value
    return "Same" if value == {} else value


def _true(value: Any) -> bool:
    return value is not UNKNOWN and bool(value)
