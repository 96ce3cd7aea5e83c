"""Names of the gateway's objects, which people type and other components refer to. Plain data."""

from __future__ import annotations

NAMESPACE = "gateway"
"""Namespace of the Gateway and of nothing else."""

GATEWAY = "main"
"""The Gateway itself."""

IAP_ROLE = "roles/iap.httpsResourceAccessor"
"""Who has it in the project passes the Identity-Aware Proxy."""

HTTP = "http"
HTTPS = "https"
"""Its listeners."""

SHARED = "gateway"
"""Name in Google Cloud of the address, the certificate map, the DNS zone, the Cloud Armor policy and the TLS policy."""

EXPOSED = "atwork.dev/exposed"
"""Label of the namespaces whose routes attach."""

HOSTS = "atwork.dev/hosts"
"""Annotation of a namespace: the host names of its routes, separated by commas."""

BACKENDS = "atwork.dev/backends"
"""Annotation of a namespace: the Services to which its routes may send, separated by commas."""


def fully_qualified(host: str) -> str:
    """A host name as Cloud DNS writes it."""
    return f"{host}."
