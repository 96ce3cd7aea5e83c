"""Private DNS zones that answer the names of Google's services with their private addresses."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

PRIVATE_GOOGLE_ADDRESSES = ("199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11")
"""private.googleapis.com. https://cloud.google.com/vpc/docs/configure-private-google-access#domain-options"""

PRIVATE_GOOGLE_ZONES = {
    "googleapis": "googleapis.com.",
    "gcr": "gcr.io.",
    "pkg-dev": "pkg.dev.",
    "gke-goog": "gke.goog.",
}
"""Domains that are answered with the private addresses: the APIs, the registry, the clusters' DNS endpoints."""


def private_google_dns(
    name: str, *, network: gcp.compute.Network, physical_name: str, opts: pulumi.ResourceOptions
) -> None:
    """Create a zone with two records for each domain: the domain's own name, and all names below it."""
    for key, domain in PRIVATE_GOOGLE_ZONES.items():
        zone = gcp.dns.ManagedZone(
            f"{name}-zone-{key}",
            name=f"{physical_name}-{key}",
            dns_name=domain,
            description=f"{domain} by the private addresses of Google's services",
            visibility="private",
            private_visibility_config={"networks": [{"network_url": network.id}]},
            opts=opts,
        )
        apex = "private.googleapis.com." if key == "googleapis" else domain
        gcp.dns.RecordSet(
            f"{name}-zone-{key}-a",
            managed_zone=zone.name,
            name=apex,
            type="A",
            ttl=300,
            rrdatas=list(PRIVATE_GOOGLE_ADDRESSES),
            opts=opts,
        )
        gcp.dns.RecordSet(
            f"{name}-zone-{key}-any",
            managed_zone=zone.name,
            name=f"*.{domain}",
            type="CNAME",
            ttl=300,
            rrdatas=[apex],
            opts=opts,
        )
