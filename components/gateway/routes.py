"""Specifications of the Gateway, of routes and of GKE's policies for them. Plain data.

https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources
"""

from __future__ import annotations

from typing import Any

from components.gateway import names
from components.gateway.settings import GatewaySettings

API = "gateway.networking.k8s.io/v1"
GKE_API = "networking.gke.io/v1"

CLASS = "gke-l7-global-external-managed"
"""https://cloud.google.com/kubernetes-engine/docs/how-to/gatewayclass-capabilities"""

CERTIFICATE_MAP = "networking.gke.io/certmap"
"""Annotation with the certificates of the HTTPS listener, which has no `tls` of its own then."""

_SERVICE_PORT = 80
_LOG_ALL = 1_000_000
"""The sample rate of GKE's policies is in millionths."""


def gateway() -> dict[str, Any]:
    """The Gateway: HTTPS for namespaces with the label, and HTTP for the redirect alone."""
    return {
        "gatewayClassName": CLASS,
        "addresses": [{"type": "NamedAddress", "value": names.SHARED}],
        "listeners": [
            {
                "name": names.HTTPS,
                "protocol": "HTTPS",
                "port": 443,
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


def redirect() -> dict[str, Any]:
    """The route that sends every request by HTTP to HTTPS."""
    return {
        "parentRefs": [{"name": names.GATEWAY, "sectionName": names.HTTP}],
        "rules": [
            {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}
        ],
    }


def tls_policy() -> dict[str, Any]:
    """GKE's policy that gives the Gateway the TLS policy."""
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": names.GATEWAY}
    return {"default": {"sslPolicy": names.SHARED}, "targetRef": target}


def parent() -> dict[str, str]:
    """The Gateway's HTTPS listener, as routes of other namespaces name it."""
    return {"name": names.GATEWAY, "namespace": names.NAMESPACE, "sectionName": names.HTTPS}


def name(service: str) -> str:
    """Name of the route to a Service."""
    return f"{service}-host"


def route(host: str, service: str) -> dict[str, Any]:
    """The route from a host to a Service."""
    return {
        "parentRefs": [parent()],
        "hostnames": [host],
        "rules": [{"backendRefs": [{"name": service, "port": _SERVICE_PORT}]}],
    }


def backend(settings: GatewaySettings, service: str, *, public: bool) -> dict[str, Any]:
    """GKE's policy for a Service behind the Gateway."""
    default: dict[str, Any] = {"timeoutSec": settings.timeout_seconds, "logging": logging(settings)}
    if settings.waf is not None:
        default["securityPolicy"] = names.SHARED
    if not public:
        # Without a client of its own, the proxy uses the one that Google manages, for people of the organization.
        default["iap"] = {"enabled": True}
    return {"default": default, "targetRef": {"group": "", "kind": "Service", "name": service}}


def logging(settings: GatewaySettings) -> dict[str, Any]:
    """How many requests are logged."""
    if settings.log_sampling == 0:
        return {"enabled": False}
    return {"enabled": True, "sampleRate": round(settings.log_sampling * _LOG_ALL)}
