"""Compare bindings with duties: duties that are not allowed, and rights that no duty needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from atwork.access import principals
from atwork.access.duties.model import Duty
from atwork.access.model import AccessModel
from atwork.access.resources import ancestors

_READS = (
    "get",
    "list",
    "search",
    "view",
    "read",
    "fetch",
    "query",
    "check",
    "analyze",
    "test",
    "show",
    "download",
    "export",
)
_TOKENS = ("getAccessToken", "getOpenIdToken")

JUSTIFIED: Mapping[str, str] = {
    "roles/artifactregistry.admin": "updates create repositories; no predefined role is narrower",
    "roles/artifactregistry.writer": "packages of other formats cannot be in a Docker repository",
    "roles/billing.user": "no narrower predefined role links a project; people redeem promotions",
    "roles/binaryauthorization.policyEditor": "updates write the policy; the role also contains platform policies",
    "roles/cloudkms.admin": "updates create keys; the role cannot use them",
    "roles/cloudsql.admin": "updates create instances; no predefined role for that lacks backups and restores",
    "roles/cloudsql.instanceUser": "SQL through the API has the rights of the same database user",
    "roles/compute.networkAdmin": "updates create networks, routers and connection policies, GKE load balancers",
    "roles/compute.networkUser": "one subnet of a Shared VPC; no predefined role lacks networks and addresses",
    "roles/compute.securityAdmin": "updates create firewall rules; no predefined role is narrower",
    "roles/container.admin": "RBAC lets no identity grant rights that it lacks, so updates are administrators",
    "roles/container.hostServiceAgentUser": "GKE creates DNS of the cluster in the host project; no role is narrower",
    "roles/dns.admin": "updates create private zones; no predefined role is narrower",
    "roles/gkebackup.admin": "updates create backup plans; the role may also delete unlocked backups",
    "roles/iam.roleAdmin": "updates create one custom role, which is the purpose of this role",
    "roles/iam.serviceAccountAdmin": "updates create accounts; the role cannot create keys",
    "roles/iam.workloadIdentityUser": "an identity token proves no more than an access token",
    "roles/iam.securityReviewer": "for ephemeral environments without a project yet; its writes only test access",
    "roles/logging.configWriter": "updates create log buckets and sinks; no predefined role is narrower",
    "roles/memorystore.admin": "updates create instances; the role may also log in, back up and restore",
    "roles/monitoring.editor": "updates create alerts and channels; the role may also write metrics",
    "roles/pubsub.admin": "updates create topics; the role may also publish to them",
    "roles/resourcemanager.projectIamAdmin": "updates grant roles in their project; policy bindings are unused",
    "roles/secretmanager.admin": "destroying ephemeral environments deletes secrets; folders cannot bind custom roles",
    "roles/serviceusage.serviceUsageAdmin": "updates enable APIs; quota overrides are unused",
    "roles/storage.objectUser": "only the objects of one state, by a condition; the client uploads in parts",
    "roles/viewer": "for ephemeral environments without a project yet; its writes only review one's own access",
}
"""Why a role may contain write permissions that no duty of its members needs. No other role may."""


@dataclass(frozen=True)
class AccessFinding:
    """One difference between bindings and duties."""

    identity: str
    message: str

    def __str__(self) -> str:
        return f"{self.identity}: {self.message}"


def is_write(permission: str) -> bool:
    """Whether a permission changes something or returns a token."""
    verb = permission.rpartition(".")[2]
    return verb in _TOKENS or not verb.startswith(_READS)


def findings(model: AccessModel, duties: Iterable[Duty]) -> list[AccessFinding]:
    """Every difference: duties that are not allowed, writes that no duty needs, identities without a duty."""
    duty_list = list(duties)
    return [*missing(model, duty_list), *surplus(model, duty_list)]


def missing(model: AccessModel, duties: Iterable[Duty]) -> Iterator[AccessFinding]:
    """Duties that are not allowed."""
    for duty in duties:
        for permission in sorted(duty.permissions):
            decision = model.may(duty.identity, permission, duty.resource, granted=duty.grants)
            if not decision:
                yield AccessFinding(
                    duty.identity, f"may not {duty.does}: {permission} on {duty.resource} ({decision.reason})"
                )


def surplus(model: AccessModel, duties: Iterable[Duty]) -> Iterator[AccessFinding]:
    """Bindings whose role contains write permissions that no duty of the member needs there."""
    needed = _needed(model, duties)
    for binding in model.bindings:
        member = principals.canonical(binding.member, model.numbers)
        needed_here = {
            permission
            for resource, permissions in needed.get(member, {}).items()
            if binding.resource in set(ancestors(resource, model.parents))
            for permission in permissions
        }
        held = model.permissions(binding.role)
        unneeded = sorted(permission for permission in held - needed_here if is_write(permission))
        if binding.role in JUSTIFIED and held & needed_here:
            continue
        if unneeded or not needed_here:
            yield AccessFinding(
                member, f"{binding.role} on {binding.resource} is more than its duties need{_shown(unneeded)}"
            )


def unjustified(model: AccessModel, duties: Iterable[Duty]) -> set[str]:
    """Roles in `JUSTIFIED` that no binding has, or whose write permissions are all needed."""
    needed = _needed(model, duties)
    stale = set(JUSTIFIED)
    for binding in model.bindings:
        member = principals.canonical(binding.member, model.numbers)
        needed_here = {permission for permissions in needed.get(member, {}).values() for permission in permissions}
        if any(
            is_write(permission) and permission not in needed_here for permission in model.permissions(binding.role)
        ):
            stale.discard(binding.role)
    return stale


def is_same_identity(model: AccessModel, first: str, second: str) -> bool:
    """Whether two principals are one identity."""
    return principals.canonical(first, model.numbers) == principals.canonical(second, model.numbers)


def _needed(model: AccessModel, duties: Iterable[Duty]) -> dict[str, dict[str, set[str]]]:
    """Permissions by identity and resource."""
    by_identity: dict[str, dict[str, set[str]]] = {}
    for duty in duties:
        identity = principals.canonical(duty.identity, model.numbers)
        by_identity.setdefault(identity, {}).setdefault(model.resolve(duty.resource), set()).update(duty.permissions)
    return by_identity


def _shown(permissions: list[str]) -> str:
    if not permissions:
        return ": it has no duty there"
    more = f" and {len(permissions) - 5} more" if len(permissions) > 5 else ""
    return f": {', '.join(permissions[:5])}{more}"
