"""Names that services cannot have, and what makes two repositories the same."""

from __future__ import annotations

import re

from components.database_administrator import NAMESPACE as DATABASE_RIGHTS
from components.gateway import names as gateway_names
from components.google.reserved import is_system_namespace
from components.namespace_deployer import DEPLOYER
from infra.delivery.settings import RESERVED_NAMES, RESERVED_PREFIXES


def reserved_name(name: str) -> str:
    """What a name is reserved for; "" for a name that a service can have.

    A service has a namespace, a service account in it and a job folder of its name.
    """
    if re.fullmatch(r"preview-(\d+|janitor(-.*)?)", name):
        return "preview namespaces"
    if name in RESERVED_NAMES or name.startswith(RESERVED_PREFIXES):
        return "the delivery system"
    if name == gateway_names.NAMESPACE:
        return "the namespace of the gateway"
    if name == DATABASE_RIGHTS:
        return "the namespace that gives rights in databases"
    if is_system_namespace(name):
        return "Kubernetes and GKE, which have a namespace of that name"
    if name == DEPLOYER:
        return "the account that installs charts"
    return ""


def repository_key(url: str) -> str:
    """A repository's address as GitHub reads it: in any case, with or without a slash and `.git` at the end."""
    return url.lower().rstrip("/").removesuffix(".git")
