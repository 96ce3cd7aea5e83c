"""What GKE's controller keeps in Google Cloud for a Gateway: its load balancer, here one forwarding rule.

The load balancer uses the address, the certificates, the policies and, by its endpoint groups, the network. It is
removed with the Gateway. If the cluster is deleted first, nobody removes it, and what it uses cannot be deleted.
https://cloud.google.com/kubernetes-engine/docs/how-to/deleting-a-cluster
https://github.com/hashicorp/terraform-provider-google/issues/7637
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.provider.gcp.clusters import servers
from atwork.sandbox.provider.names import stable_hex
from atwork.sandbox.provider.values import reveal
from components.gateway.routes import CERTIFICATE_MAP, CERTIFICATES, INTERNAL_CLASS
from components.network_settings import PROXY_ONLY
from components.type_tokens import BACKEND_POLICY, CLUSTER, GATEWAY, GATEWAY_POLICY, NETWORK, SUBNETWORK

FORWARDING_RULE = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
"""Also for the rule of an internal Gateway, whose id names its region."""
KINDS = (GATEWAY, GATEWAY_POLICY, BACKEND_POLICY)
"""Objects that the controller watches."""


def reconcile(server: str, cloud: Cloud) -> None:
    """Make the load balancers of a cluster those of its Gateways."""
    cluster = next((item for item in cloud.objects("", CLUSTER) if server in servers(item)), None)
    if cluster is None:
        return
    gateways = {_identity(cluster, item): item for item in cloud.objects(server, GATEWAY)}
    own = tuple(f"{_scope(cluster, internal=internal)}/{_prefix(cluster)}" for internal in (False, True))
    for rule in cloud.objects("", FORWARDING_RULE):
        if rule.id.startswith(own) and rule.id not in gateways:
            cloud.delete("", rule.type, rule.id)
    for identity, gateway in gateways.items():
        rule = CloudObject("", FORWARDING_RULE, identity, "", {}, {})
        cloud.update(rule, {name for name in _used(gateway, cluster, cloud) if cloud.exists("", name)})


def _identity(cluster: CloudObject, gateway: CloudObject) -> str:
    scope = _scope(cluster, internal=_is_internal(gateway))
    return f"{scope}/{_prefix(cluster)}{gateway.id.replace('/', '-')}"


def _prefix(cluster: CloudObject) -> str:
    return f"forwardingRules/gkegw1-{stable_hex(cluster.id, digits=8)}-"


def _is_internal(gateway: CloudObject) -> bool:
    return _at(reveal(gateway.inputs), "spec").get("gatewayClassName") == INTERNAL_CLASS


def _scope(cluster: CloudObject, *, internal: bool) -> str:
    """Where the parts of a load balancer are: a cluster in a zone has an internal one in the region of the zone."""
    return f"{_project(cluster)}/{f'regions/{_region(cluster)}' if internal else 'global'}"


def _region(cluster: CloudObject) -> str:
    return "-".join(cluster.id.split("/")[3].split("-")[:2])


def _project(cluster: CloudObject) -> str:
    return "/".join(cluster.id.split("/")[:2])


def _used(gateway: CloudObject, cluster: CloudObject, cloud: Cloud) -> Iterator[str]:
    """What the load balancer of a Gateway uses, by id."""
    project, inputs, internal = _project(cluster), reveal(gateway.inputs), _is_internal(gateway)
    scope = _scope(cluster, internal=internal)
    for address in _at(inputs, "spec").get("addresses", ()):
        yield f"{scope}/addresses/{address['value']}"
    certificates = _at(inputs, "metadata", "annotations").get(CERTIFICATE_MAP)
    if certificates is not None:
        yield f"{project}/locations/global/certificateMaps/{certificates}"
    for listener in _at(inputs, "spec").get("listeners", ()) if internal else ():
        for certificate in filter(None, str(_at(listener, "tls", "options").get(CERTIFICATES, "")).split(",")):
            yield f"{project}/locations/{_region(cluster)}/certificates/{certificate}"
    for policy in cloud.objects(gateway.scope, GATEWAY_POLICY):
        yield f"{scope}/sslPolicies/{_default(policy).get('sslPolicy')}"
    for policy in cloud.objects(gateway.scope, BACKEND_POLICY):
        yield f"{project}/global/securityPolicies/{_default(policy).get('securityPolicy')}"
    for network in cloud.objects("", NETWORK):
        if (cluster.type, cluster.id) in cloud.referrers(network.id):
            yield network.id
            yield from _proxies(network, cluster, cloud) if internal else ()


def _proxies(network: CloudObject, cluster: CloudObject, cloud: Cloud) -> Iterator[str]:
    """The proxy-only subnet of the cluster's network and region."""
    for subnet in cloud.objects("", SUBNETWORK):
        same = f"/regions/{_region(cluster)}/" in subnet.id and (subnet.type, subnet.id) in cloud.referrers(network.id)
        if same and reveal(subnet.inputs).get("purpose") == PROXY_ONLY:
            yield subnet.id


def _default(policy: CloudObject) -> Mapping[str, Any]:
    return _at(reveal(policy.inputs), "spec", "default")


def _at(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for part in path:
        value = value.get(part) or {}
    return value
