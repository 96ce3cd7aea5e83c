"""Error messages of faults, as the official providers and clouds write them."""

from __future__ import annotations

from atwork.sandbox.faults.model import Call, Effect, Fault
from components.type_tokens import CLUSTER, NODE_POOL, SUBNETWORK

UNREACHABLE = (
    "configured Kubernetes cluster is unreachable: unable to load schema information from the API server: "
    "the server is currently unable to handle the request"
)
_VERBS = {"create": "creating", "update": "updating", "delete": "deleting", "read": "reading"}
# Quotas of Google Cloud by type; other types need CPUs of their region.
_QUOTAS = {
    "gcp:compute/address:Address": ("STATIC_ADDRESSES", "8.0"),
    "gcp:compute/network:Network": ("NETWORKS", "5.0"),
    "gcp:compute/router:Router": ("ROUTERS", "10.0"),
    SUBNETWORK: ("SUBNETWORKS", "100.0"),
    "gcp:compute/firewall:Firewall": ("FIREWALLS", "100.0"),
}
_TYPES_WITH_NODES = (CLUSTER, NODE_POOL)


def error(fault: Fault, call: Call) -> str:
    """The error message of the provider."""
    if fault.message:
        return fault.message
    match fault.effect:
        case Effect.quota:
            return _quota(call)
        case Effect.hang:
            state = "timeout while waiting for state to become 'DONE' (last state: 'RUNNING'"
            return f"{state}, timeout: {fault.seconds:g}s)"
        case Effect.unreachable:
            return UNREACHABLE
        case Effect.partial:
            return _partial(call)
        case _:
            return _failed(call)


def _quota(call: Call) -> str:
    kind = call.type.rpartition(":")[2]
    if call.type.startswith("kubernetes:"):
        what = "requested: pods=1, used: pods=50, limited: pods=50"
        return f'{kind} "{call.name}" is forbidden: exceeded quota: compute, {what}'
    if call.type in _TYPES_WITH_NODES:
        return (
            f"error {_VERBS[call.operation]} {kind}: googleapi: Error 403: Insufficient regional quota to satisfy "
            "request: resource \"CPUS\": request requires '32.0', is short '8.0'. project has a quota of '24.0' with "
            "'24.0' available., forbidden"
        )
    if call.type.startswith("gcp:compute/"):
        what, limit = _QUOTAS.get(call.type, ("CPUS", "24.0"))
        return f"googleapi: Error 403: Quota '{what}' exceeded. Limit: {limit} in region europe-west1., quotaExceeded"
    return (
        "googleapi: Error 429: Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute', "
        "RESOURCE_EXHAUSTED"
    )


def _partial(call: Call) -> str:
    kind = call.type.rpartition(":")[2]
    if call.type.startswith("kubernetes:"):
        return f"Resource operation was created, but failed to initialize: '{call.name}' timed out waiting to be Ready"
    return f"Error waiting for {_VERBS[call.operation]} {kind}: Error code 13, message: an internal error has occurred"


def _failed(call: Call) -> str:
    if call.type.startswith("kubernetes:"):
        return "Internal error occurred: etcdserver: request timed out"
    kind = call.type.rpartition(":")[2]
    return f"Error {_VERBS[call.operation]} {kind}: googleapi: Error 503: Service unavailable., backendError"
