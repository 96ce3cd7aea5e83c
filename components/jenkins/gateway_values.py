"""The Helm values of the route through a GKE Gateway: for people and, separately, for GitHub's calls.

Through an internal Gateway, no call of GitHub arrives, and Jenkins itself asks for a login.
"""

from __future__ import annotations

from typing import Any

from components.gateway import names as gateway_names
from components.gateway import routes
from components.gateway.settings import IapClientSettings
from components.jenkins import names, traffic
from components.jenkins.connections import JenkinsGatewaySettings

WEBHOOK = "jenkins-webhook"
"""Service for GitHub's calls, which cannot pass the Identity-Aware Proxy."""

_HOUR = 3600
"""Seconds that an answer may take: agents do not pass here, but log views are long-lived."""


def services(gateway: JenkinsGatewaySettings) -> tuple[str, ...]:
    """The Services behind the Gateway."""
    return (names.CONTROLLER_NAMESPACE,) if gateway.internal else (names.CONTROLLER_NAMESPACE, WEBHOOK)


def route(gateway: JenkinsGatewaySettings, hostname: str) -> dict[str, Any]:
    """The HTTPRoute of the chart, with an extra rule for GitHub's calls."""
    webhook = {
        "matches": [{"path": {"type": "Exact", "value": "/github-webhook/"}}],
        "backendRefs": [{"name": WEBHOOK, "port": traffic.HTTP}],
    }
    parent = (
        routes.parent(internal=gateway.internal)
        if gateway.own
        else {"name": gateway.name, "namespace": gateway.namespace}
    )
    calls = {} if gateway.internal else {"extraRules": [webhook]}
    return {"enabled": True, "parentRefs": [parent], "hostnames": [hostname], **calls}


def objects(gateway: JenkinsGatewaySettings, client: IapClientSettings | None = None) -> dict[str, Any]:
    """Extra objects of the chart: the service for GitHub's calls, the health checks and the Identity-Aware Proxy.

    The Cloud Armor policy of the stack's own Gateway is in front of both services. Without a `client` of the stack, the
    proxy uses the one that Google manages.
    """
    if gateway.internal:
        return {"health": _health_check("jenkins"), "proxy": _backend("jenkins", {"timeoutSec": _HOUR})}
    armor = {"securityPolicy": gateway_names.SHARED} if gateway.own else {}
    return {
        "webhook-service": {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": _in_controller(WEBHOOK),
            "spec": {
                "selector": dict(traffic.CONTROLLER_LABELS),
                "ports": [{"name": "http", "port": traffic.HTTP, "targetPort": traffic.HTTP}],
            },
        },
        "webhook-health": _health_check(WEBHOOK),
        "health": _health_check("jenkins"),
        "proxy": _backend("jenkins", {"timeoutSec": _HOUR, "iap": routes.proxy(client), **armor}),
        **({"webhook-proxy": _backend(WEBHOOK, armor)} if armor else {}),
    }


def _backend(service: str, default: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.gke.io/v1",
        "kind": "GCPBackendPolicy",
        "metadata": _in_controller(service),
        "spec": {"default": default, "targetRef": _service(service)},
    }


def _health_check(service: str) -> dict[str, Any]:
    # At / Jenkins answers 403 to a request without a login, which a load balancer counts as a failure.
    check = {"type": "HTTP", "httpHealthCheck": {"port": traffic.HTTP, "requestPath": "/login"}}
    return {
        "apiVersion": "networking.gke.io/v1",
        "kind": "HealthCheckPolicy",
        "metadata": _in_controller(service),
        "spec": {"default": {"config": check}, "targetRef": _service(service)},
    }


def _in_controller(name: str) -> dict[str, str]:
    return {"name": name, "namespace": names.CONTROLLER_NAMESPACE}


def _service(name: str) -> dict[str, str]:
    return {"group": "", "kind": "Service", "name": name}
