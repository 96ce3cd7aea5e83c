"""Rules for networks."""

from __future__ import annotations

from collections.abc import Iterator

from components.network_settings import PROXY_ONLY
from policies.rule import UNKNOWN, CheckedResource, StackContext, resource_rule


@resource_rule("network-custom", "gcp:compute/network:Network", source="CIS GCP 3.1")
def custom(network: CheckedResource, _: StackContext) -> Iterator[str]:
    """A network has only the subnets that the program defines, not one in every region."""
    yield from network.must("autoCreateSubnetworks", be=False)


@resource_rule(
    "subnet-logged", "gcp:compute/subnetwork:Subnetwork", source="CIS GCP 3.8; checkov CKV_GCP_26, CKV_GCP_74"
)
def logged(subnet: CheckedResource, _: StackContext) -> Iterator[str]:
    """Subnets log their flows and reach Google's APIs without the internet; proxy-only subnets can do neither."""
    if subnet.get("purpose") == PROXY_ONLY:
        return
    if subnet.lacks("logConfig"):
        yield "logConfig is missing; add it"
    yield from subnet.must("privateIpGoogleAccess", be=True)


@resource_rule("firewall-closed", "gcp:compute/firewall:Firewall", source="CIS GCP 3.6, 3.7")
def closed(firewall: CheckedResource, _: StackContext) -> Iterator[str]:
    """No firewall rule allows traffic from the entire internet."""
    if firewall.get("direction", "INGRESS") != "INGRESS" or firewall.lacks("allows"):
        return
    ranges = firewall.get("sourceRanges", ())
    sourceless = all(firewall.lacks(key) for key in ("sourceRanges", "sourceTags", "sourceServiceAccounts"))
    if sourceless or (ranges is not UNKNOWN and {"0.0.0.0/0", "::/0"} & set(ranges)):
        yield "sourceRanges must not be the entire internet, which is also the default; name the sources"
