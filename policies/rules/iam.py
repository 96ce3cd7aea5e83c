"""Rules for IAM bindings and service accounts."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import UNKNOWN, CheckedResource, StackContext, resource_rule

_BASIC_ROLES = ("roles/owner", "roles/editor", "roles/viewer")
_PUBLIC = {"allUsers", "allAuthenticatedUsers"}


def _is_grant(resource: CheckedResource) -> bool:
    kind = resource.type.rpartition(":")[2].lower()
    return kind.endswith(("iammember", "iambinding"))


@resource_rule("iam-no-basic-roles", "gcp:*", source="CIS GCP 1.5; checkov CKV_GCP_41, CKV_GCP_46, CKV_GCP_117")
def no_basic_roles(grant: CheckedResource, _: StackContext) -> Iterator[str]:
    """Basic roles are not granted."""
    if _is_grant(grant) and grant.get("role") in _BASIC_ROLES:
        yield f"role {grant.get('role')} is a basic role; grant a predefined or custom role"


@resource_rule("iam-not-public", "gcp:*", source="CIS GCP 5.1; checkov CKV_GCP_101")
def not_public(grant: CheckedResource, _: StackContext) -> Iterator[str]:
    """No role is granted to the public."""
    if not _is_grant(grant):
        return
    members = grant.get("members", ())
    if {grant.get("member"), *(() if members is UNKNOWN else members)} & _PUBLIC:
        yield "allUsers and allAuthenticatedUsers include everyone on the internet; name the members"


@resource_rule(
    "iam-additive", "gcp:*", source="provider documentation: a policy or binding removes what others granted"
)
def additive(grant: CheckedResource, _: StackContext) -> Iterator[str]:
    """Grants add a member and remove no other."""
    if grant.type.rpartition(":")[2].lower().endswith(("iampolicy", "iambinding")):
        yield "this resource removes all members that it does not list; use the IAMMember of the same service"


@resource_rule("iam-no-keys", "gcp:serviceaccount/key:Key", source="CIS GCP 1.4; checkov CKV2_GCP_3")
def no_keys(key: CheckedResource, _: StackContext) -> Iterator[str]:
    """Service accounts have no keys, which could be copied."""
    yield f"{key.name}: use workload identity federation instead of a key"
