"""Rules on who may do what."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import UNKNOWN, Environment, Resource, on

_BASIC = ("roles/owner", "roles/editor", "roles/viewer")
_EVERYBODY = {"allUsers", "allAuthenticatedUsers"}


def _grants(one: Resource) -> bool:
    kind = one.type.rpartition(":")[2].lower()
    return kind.endswith(("iammember", "iambinding"))


@on("iam-no-basic-roles", "gcp:*", source="CIS GCP 1.5; checkov CKV_GCP_41, CKV_GCP_46, CKV_GCP_117")
def no_basic_roles(one: Resource, _: Environment) -> Iterator[str]:
    """Rights are given by narrow roles."""
    if _grants(one) and one.get("role") in _BASIC:
        yield f"role {one.get('role')} gives nearly everything; choose a predefined or custom role"


@on("iam-not-public", "gcp:*", source="CIS GCP 5.1; checkov CKV_GCP_101")
def not_public(one: Resource, _: Environment) -> Iterator[str]:
    """Nothing is given to everybody."""
    if not _grants(one):
        return
    members = one.get("members", ())
    given = {one.get("member"), *(() if members is UNKNOWN else members)}
    if given & _EVERYBODY:
        yield "allUsers and allAuthenticatedUsers are everybody in the world; name who needs it"


@on("iam-additive", "gcp:*", source="provider documentation: a policy or binding removes what others granted")
def additive(one: Resource, _: Environment) -> Iterator[str]:
    """Grants add a member and take nothing away."""
    if one.type.rpartition(":")[2].lower().endswith(("iampolicy", "iambinding")):
        yield "use the IAMMember of the same service: this one is the whole list, and whoever is not in it loses access"


@on("iam-no-keys", "gcp:serviceaccount/key:Key", source="CIS GCP 1.4; checkov CKV2_GCP_3")
def no_keys(one: Resource, _: Environment) -> Iterator[str]:
    """Accounts have no keys that could be copied."""
    yield f"{one.name}: use workload identity federation instead of a key"
