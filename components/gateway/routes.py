"""Specifications of the Gateway, of routes and of GKE's policies for them. Plain data.

https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources
"""

from __future__ import annotations

from typing import Any

from components.gateway import names
from components.gateway.settings import GatewaySettings, IapClientSettings

API = "gateway.networking.k8s.io/v1"
GKE_API = "networking.gke.io/v1"

CLASS = "gke-l7-global-external-managed"
INTERNAL_CLASS = "gke-l7-rilb"
"""https://cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities"""

CERTIFICATE_MAP = "networking.gke.io/certmap"
"""Annotation with the certificates of the HTTPS listener, which has no `tls` of its own then."""

CERTIFICATES = "networking.gke.io/cert-manager-certs"
"""Option of a listener with certificates of its region; regional Gateways take no map.
https://cloud.google.com/kubernetes-engine/docs/how-to/secure-gateway"""

_SERVICE_PORT = 80
_LOG_ALL = 1_000_000
"""The sample rate of GKE's policies is in millionths."""


def gateway(certificate: Any = None) -> dict[str, Any]:
    """The Gateway: HTTPS for namespaces with the label, and HTTP for the redirect alone.

    An internal one has the name of its certificate in the listener; both listeners share the address.
    """
    tls = {} if certificate is None else {"tls": {"mode": "Terminate", "options": {CERTIFICATES: certificate}}}
    return {
        "gatewayClassName": CLASS if certificate is None else INTERNAL_CLASS,
        "addresses": [{"type": "NamedAddress", "value": names.SHARED}],
        "listeners": [
            {
                "name": names.HTTPS,
                "protocol": "HTTPS",
                "port": 443,
                **tls,
                "allowedRoutes": {
                    "kinds": [{"kind": "HTTPRoute"}],
                    "namespaces": {"from": "Selector", "selector": {"matchLabels": {names.EXPOSED: "true"}}},
                },
            },
            {
                "name": names.HTTP,
                "protocol": "HTTP",
                "port": 80,
                "allowedRoutes": {"kinds": [{"kind": "HTTPRoute"}], "namespaces": {"from": "Same"}},
            },
        ],
    }


def redirect(settings: GatewaySettings) -> dict[str, Any]:
    """The route that sends every request by HTTP to HTTPS."""
    return {
        "parentRefs": [{"name": gateway_name(settings), "sectionName": names.HTTP}],
        "rules": [
            {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}
        ],
    }


def tls_policy(settings: GatewaySettings) -> dict[str, Any]:
    """GKE's policy that gives the Gateway the TLS policy of its scope; a Gateway takes one such object."""
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway_name(settings)}
    default: dict[str, Any] = {"sslPolicy": names.SHARED}
    if settings.internal is not None:
        default["allowGlobalAccess"] = settings.internal.global_access
    return {"default": default, "targetRef": target}


def gateway_name(settings: GatewaySettings) -> str:
    """Name of the Gateway, which says who reaches it."""
    return names.GATEWAY if settings.internal is None else names.INTERNAL_GATEWAY


def parent(*, internal: bool = False) -> dict[str, str]:
    """The Gateway's HTTPS listener, as routes of other namespaces name it."""
    name = names.INTERNAL_GATEWAY if internal else names.GATEWAY
    return {"name": name, "namespace": names.NAMESPACE, "sectionName": names.HTTPS}


def name(service: str) -> str:
    """Name of the route to a Service."""
    return f"{service}-host"


def route(host: str, service: str, *, internal: bool = False) -> dict[str, Any]:
    """The route from a host to a Service."""
    return {
        "parentRefs": [parent(internal=internal)],
        "hostnames": [host],
        "rules": [{"backendRefs": [{"name": service, "port": _SERVICE_PORT}]}],
    }


def backend(settings: GatewaySettings, service: str, *, public: bool) -> dict[str, Any]:
    """GKE's policy for a Service behind the Gateway."""
    default: dict[str, Any] = {"timeoutSec": settings.timeout_seconds, "logging": logging(settings)}
    if settings.firewall is not None:
        default["securityPolicy"] = names.SHARED
    if not public and settings.internal is None:
        default["iap"] = proxy(settings.iap_client)
    return {"default": default, "targetRef": {"group": "", "kind": "Service", "name": service}}


def proxy(client: IapClientSettings | None) -> dict[str, Any]:
    """The Identity-Aware Proxy, with a client of your own or with Google's, which admits people of the organization."""
    if client is None:
        return {"enabled": True}
    return {"enabled": True, "clientID": client.id, "oauth2ClientSecret": {"name": names.IAP_CLIENT}}


def logging(settings: GatewaySettings) -> dict[str, Any]:
    """How many requests are logged."""
    if settings.log_sampling == 0:
        return {"enabled": False}
    return {"enabled": True, "sampleRate": round(settings.log_sampling * _LOG_ALL)}
