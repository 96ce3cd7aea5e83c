"""Deletion in Google Cloud: protection, use by other resources, and what is deleted with a resource."""

from __future__ import annotations

from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.provider.errors import Refused
from atwork.sandbox.provider.gcp.clusters import servers
from atwork.sandbox.provider.gcp.rules import is_policy_member
from atwork.sandbox.provider.values import reveal
from components.type_tokens import (
    CLUSTER,
    CRYPTO_KEY,
    DATABASE,
    DATABASE_INSTANCE,
    DATABASE_USER,
    KEY_RING,
    NODE_POOL,
    SECRET,
    SERVICE_IDENTITY,
)

_PROTECTED = {
    CLUSTER: "Cannot destroy cluster because deletion_protection is set to true",
    DATABASE_INSTANCE: "Error, failed to delete instance because deletion_protection is set to true",
    SECRET: "cannot destroy secretmanager secret without setting deletion_protection=false",
}
_PROTECTED_BY_DEFAULT = {CLUSTER, DATABASE_INSTANCE}
_NEVER_DELETED = {KEY_RING, CRYPTO_KEY, SERVICE_IDENTITY}
"""Google Cloud keeps these: the provider removes them from its state, and their names stay taken."""
_CHILDREN = {DATABASE_INSTANCE: (DATABASE, DATABASE_USER), CLUSTER: (NODE_POOL,)}
"""Types that are deleted with their parent even if some are still recorded."""


def check_delete(existing: CloudObject, cloud: Cloud) -> None:
    """Refuse to delete a resource that is protected or that others use."""
    inputs = reveal(existing.inputs)
    protected = inputs.get("deletionProtection", existing.type in _PROTECTED_BY_DEFAULT)
    if protected and existing.type in _PROTECTED:
        raise Refused(f"{_PROTECTED[existing.type]}. Set it to false, run `pulumi up`, then destroy")
    if (inputs.get("settings") or {}).get("deletionProtectionEnabled"):
        raise Refused(f"Error 400: The instance {existing.id} is protected: settings.deletionProtectionEnabled is true")
    if inputs.get("deletionPolicy") == "PREVENT":
        raise Refused(f"{existing.id}: deletion_policy is PREVENT; set it to DELETE, run `pulumi up`, then destroy")
    if existing.type in _NEVER_DELETED:
        return
    users = [name for token, name in cloud.referrers(existing.id) if not _goes_with(existing.type, token)]
    if users:
        kind = existing.type.rpartition(":")[2].lower()
        raise Refused(f"Error 400: The {kind} resource '{existing.id}' is already being used by '{users[0]}'")


def delete(existing: CloudObject, cloud: Cloud) -> None:
    """Delete a resource with its children; a cluster with everything inside it."""
    if existing.type in _NEVER_DELETED or reveal(existing.inputs).get("deletionPolicy") == "ABANDON":
        cloud.assign(existing, "")
        return
    for token, name in cloud.referrers(existing.id):
        if _goes_with(existing.type, token):
            cloud.delete("", token, name)
    cloud.delete("", existing.type, existing.id)
    if existing.type == CLUSTER:
        for server in servers(existing):
            cloud.delete_scope(server)


def _goes_with(parent: str, token: str) -> bool:
    return token in _CHILDREN.get(parent, ()) or is_policy_member(token)
