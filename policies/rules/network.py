"""Rules on networks."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import UNKNOWN, Environment, Resource, on


@on("network-custom", "gcp:compute/network:Network", source="CIS GCP 3.1")
def custom(one: Resource, _: Environment) -> Iterator[str]:
    """Subnets are chosen, not scattered over all regions."""
    yield from one.must("autoCreateSubnetworks", be=False)


@on("subnet-logged", "gcp:compute/subnetwork:Subnetwork", source="CIS GCP 3.8; checkov CKV_GCP_26, CKV_GCP_74")
def logged(one: Resource, _: Environment) -> Iterator[str]:
    """Flows are logged, and Google's APIs are reached without the internet."""
    if one.lacks("logConfig"):
        yield "logConfig is missing"
    yield from one.must("privateIpGoogleAccess", be=True)


@on("firewall-closed", "gcp:compute/firewall:Firewall", source="CIS GCP 3.6, 3.7")
def closed(one: Resource, _: Environment) -> Iterator[str]:
    """Nothing is let in from everywhere."""
    if one.get("direction", "INGRESS") != "INGRESS" or one.lacks("allows"):
        return
    ranges = one.get("sourceRanges", ())
    unnamed = all(one.lacks(key) for key in ("sourceRanges", "sourceTags", "sourceServiceAccounts"))
    if unnamed or (ranges is not UNKNOWN and {"0.0.0.0/0", "::/0"} & set(ranges)):
        yield "sourceRanges must not be the whole internet, which is also what no source means"
