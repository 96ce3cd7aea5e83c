"""Names of the gateway's objects, which people type and other components refer to. Plain data."""

from __future__ import annotations

NAMESPACE = "gateway"
"""Namespace of the Gateway and of nothing else."""

GATEWAY = "main"
"""The Gateway itself."""

INTERNAL_GATEWAY = "internal"
"""The Gateway itself where it is internal. Its name is that of the class, so that a route shows who reaches it."""

IAP_ROLE = "roles/iap.httpsResourceAccessor"
"""Who has it in the project passes the Identity-Aware Proxy."""

IAP_CLIENT = "iap-client"
"""The Secret with the secret of an OAuth client of your own, what makes it, and the account that reads."""

IAP_CLIENT_KEY = "key"
"""Key of the client's secret in the Secret, as GKE's policy expects it."""

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

PREVIEW_DOMAIN = "atwork.dev/preview-domain"
"""Annotation of a preview namespace: the domain of its host."""

_PREVIEWS = "popup"
_PULL_DIGITS = 9
"""Of the number of a pull request; delivery/vars/previewService.groovy refuses more."""


def fully_qualified(host: str) -> str:
    """A host name as Cloud DNS writes it."""
    return f"{host}."


def preview_domain(domain: str) -> str:
    """The domain of preview namespaces, one label below that of the Gateway: they have a wildcard of their own."""
    return f"{_PREVIEWS}.{domain}"


def preview_host(service: str, pull: str, domain: str) -> str:
    """The host of the build of a pull request; its first label has 53 characters at most, of 63 that DNS allows."""
    return f"{service}-pr-{pull}.{preview_domain(domain)}"


def longest_preview_host(service_characters: int, domain: str) -> int:
    """The most characters that the host of a build can have, for services with names of at most so many."""
    return len(preview_host("s" * service_characters, "9" * _PULL_DIGITS, domain))
