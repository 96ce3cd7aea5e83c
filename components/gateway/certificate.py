"""Certificates of a domain and of all names one label below it, with the record that proves the domain is ours.

Traps:
- Google issues the certificate only after the record is visible in the DNS of the internet, which can take an hour and
  needs the delegation of a new zone. Nothing waits for it. This also holds for names that only a company's networks
  reach: their addresses are private, and the names are public.
- A certificate of a region takes authorizations of the region alone. The name of their record has a part that Google
  chooses, so that it is read from the authorization.
https://cloud.google.com/certificate-manager/docs/domain-authorization
https://cloud.google.com/certificate-manager/docs/deploy-google-managed-regional
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.gateway import names

_MISSING = "missing.invalid."
"""Data of the record where the provider does not know it; the next update corrects it."""

_CHALLENGE = "_acme-challenge"
GLOBAL = "global"

_ACTIVE = "ACTIVE"


def certificate(
    name: str, domain: str, zone: pulumi.Input[str], opts: pulumi.ResourceOptions, *, location: str = GLOBAL
) -> gcp.certificatemanager.Certificate:
    """Declare the certificate and its authorization, for all regions or for one."""
    authorization = gcp.certificatemanager.DnsAuthorization(
        f"{name}-authorization",
        location=location,
        domain=domain,
        type="FIXED_RECORD" if location == GLOBAL else "PER_PROJECT_RECORD",
        opts=opts,
    )
    fixed = f"{_CHALLENGE}.{names.fully_qualified(domain)}"
    gcp.dns.RecordSet(
        f"{name}-authorization-record",
        managed_zone=zone,
        name=fixed
        if location == GLOBAL
        else authorization.dns_resource_records.apply(lambda records: _name(records, domain)),
        type="CNAME",
        ttl=300,
        rrdatas=[authorization.dns_resource_records.apply(_data)],
        opts=opts,
    )
    return gcp.certificatemanager.Certificate(
        f"{name}-certificate",
        location=location,
        scope="DEFAULT",
        description=f"{domain} and the names below it",
        managed={"domains": [domain, f"*.{domain}"], "dns_authorizations": [authorization.id]},
        opts=opts,
    )


def certificate_map(
    name: str, primary: gcp.certificatemanager.Certificate, opts: pulumi.ResourceOptions
) -> gcp.certificatemanager.CertificateMap:
    """Declare the map by which the Gateway finds certificates, and the one for every name without an entry."""
    certificates = gcp.certificatemanager.CertificateMap(
        f"{name}-certificates", name=names.SHARED, description="Certificates of the Gateway", opts=opts
    )
    gcp.certificatemanager.CertificateMapEntry(
        f"{name}-certificates-entry",
        map=certificates.name,
        certificates=[primary.id],
        matcher="PRIMARY",
        opts=opts,
    )
    return certificates


def _name(records: Sequence[Mapping[str, Any]] | None, domain: str) -> str:
    missing = f"{_CHALLENGE}_missing.{names.fully_qualified(domain)}"
    return next((record["name"] for record in records or () if record.get("name")), missing)


def _data(records: Sequence[Mapping[str, Any]] | None) -> str:
    return next((record["data"] for record in records or () if record.get("data")), _MISSING)


def status(domain: str, managed: Mapping[str, Any] | None, servers: Sequence[str] | None) -> str:
    """What people read about the certificate after an update."""
    if managed is not None and managed.get("state") == _ACTIVE:
        return "active"
    if not servers:
        return f"pending: the certificate of {domain} waits for its record in DNS"
    return f"pending: delegate {domain} in the zone above it to NS {', '.join(sorted(servers))}"
