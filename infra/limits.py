"""Limits of Google Cloud and of Kubernetes that grow with the catalog: one table for advice and for preflight.

Numbers are those of the sources on the day `READ`. What a project needs of each is in infra/needs.py. Left out because
no source that was read states a number: databases and users of a Cloud SQL instance, secrets of a project and their
versions, firewall rules and routes of a project (preflight reads the project's own), and the default of
`max_connections` for most tiers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

READ = date(2026, 11, 26)
"""When the sources were read."""


@dataclass(frozen=True)
class Limit:
    """A quota or a fixed limit."""

    name: str
    """What is counted, in the plural."""
    most: int
    """The default of a quota, or a fixed limit."""
    source: str
    fix: str
    """What to do when more is needed."""
    adjustable: bool = False
    """Whether it is the default of a quota, which Google raises on request."""


SERVICE_ACCOUNTS = Limit(
    "service accounts of the project",
    100,
    "https://cloud.google.com/iam/quotas",
    "ask for more at https://console.cloud.google.com/iam-admin/quotas",
    adjustable=True,
)
PRINCIPALS = Limit(
    "principals in the project's allow policy",
    1_500,
    "https://cloud.google.com/iam/quotas",
    "it cannot be raised; give some services an environment of their own",
)
NODES = Limit(
    "nodes of the cluster",
    5_000,
    "https://cloud.google.com/kubernetes-engine/quotas",
    "lower node_pools.NAME.max_nodes, or ask Google's support for more",
    adjustable=True,
)
PODS = Limit(
    "pods of the cluster",
    200_000,
    "https://cloud.google.com/kubernetes-engine/quotas",
    "lower size.quota.pods of services",
)
PODS_OF_A_NODE = Limit(
    "pods of one node",
    110,
    "https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr",
    "raise node_pools.NAME.max_nodes, or lower size.quota.pods of services",
)
"""The default of a node, which the program does not change; such a node takes a /24 of the pods' ranges."""

PREFIX_OF_A_NODE = 24
"""https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr"""

RESERVED_ADDRESSES = 4
"""Addresses of a subnet's primary range that no node gets: a /28 has room for 12 nodes."""

SUBNET_SIZES = "https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips"

SERVICE_ADDRESSES = Limit(
    "Kubernetes Services",
    4_096,
    "https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips",
    "give some services an environment of their own",
)
"""The addresses of 34.118.224.0/20, the range that GKE takes for Services of every cluster."""

SECRET_ACCESSES = Limit(
    "accesses to secrets in a minute",
    90_000,
    "https://cloud.google.com/secret-manager/quotas",
    "lower size.quota.pods of services with secrets, or ask for more at "
    "https://console.cloud.google.com/iam-admin/quotas",
    adjustable=True,
)
CONFIG_MAP_BYTES = Limit(
    "bytes of Jenkins jobs in one ConfigMap",
    1_048_576,
    "https://kubernetes.io/docs/concepts/configuration/configmap/",
    "give groups of services stacks of their own, or split the group",
)
CONNECTIONS = {"db-f1-micro": 25}
"""The default of `max_connections` by tier, as far as a source states it: https://cloud.google.com/sql/docs/postgres/faq

Google documents that the default follows the memory, and its pages of different dates disagree about larger tiers.
"""

TABLE = (
    SERVICE_ACCOUNTS,
    PRINCIPALS,
    NODES,
    PODS,
    PODS_OF_A_NODE,
    SERVICE_ADDRESSES,
    SECRET_ACCESSES,
    CONFIG_MAP_BYTES,
)
