"""Names and addresses that Google and Kubernetes keep for themselves."""

from __future__ import annotations

import ipaddress
import re

from components.google.tables import table

_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def system_namespaces() -> tuple[str, ...]:
    """The namespaces that every GKE cluster has from the start."""
    return tuple(table("reserved")["namespaces"])


def system_namespace_prefixes() -> tuple[str, ...]:
    """Prefixes of the namespaces that Kubernetes and GKE create later."""
    return tuple(table("reserved")["namespace_prefixes"])


def is_system_namespace(namespace: str) -> bool:
    """Whether a name belongs to Kubernetes or GKE."""
    return namespace in system_namespaces() or namespace.startswith(system_namespace_prefixes())


def pool_mistake(name: str) -> str:
    """Why a node pool cannot have a name; "" if it can."""
    if name in table("reserved")["node_pools"]:
        return f"GKE gives the name {name} to the pool that it creates with a cluster; choose another name"
    return ""


def label_key(key: str) -> str:
    """The key of a node label or taint; `ValueError` for one that Kubernetes or GKE refuses."""
    if not _KEY.fullmatch(key):
        raise ValueError(
            f'"{key}" is not a key of Kubernetes: at most 63 letters, digits, hyphens, dots and underscores, '
            "with a letter or digit first and last, and DOMAIN/ before it if wanted; correct it"
        )
    domain = key.rpartition("/")[0]
    for reserved in table("reserved")["label_domains"]:
        if domain == reserved or domain.endswith(f".{reserved}"):
            raise ValueError(f"{reserved} is reserved, and GKE refuses its keys; use a domain of your own")
    return key


def label_value(value: str) -> str:
    """The value of a node label or taint; `ValueError` for one that Kubernetes refuses."""
    if not _VALUE.fullmatch(value):
        raise ValueError(
            f'"{value}" is not a value of a label: at most 63 letters, digits, hyphens, dots and underscores, '
            "with a letter or digit first and last; correct it"
        )
    return value


def address_mistake(network: ipaddress.IPv4Network) -> str:
    """Why a subnet cannot have a range; "" if it can."""
    for block in table("reserved")["addresses"]:
        if network.overlaps(ipaddress.IPv4Network(block)):
            return f"{network} contains {block}, which no subnet can have; choose another range"
    return ""
