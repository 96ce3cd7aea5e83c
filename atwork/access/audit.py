"""Bindings against the table of duties: what is not allowed and should be, and what is allowed and nobody needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from atwork.access import principals
from atwork.access.duties import Duty
from atwork.access.model import AccessModel
from atwork.access.resources import inside_of

_READS = (
    "get", "list", "search", "view", "read", "fetch", "query", "check", "analyze", "test", "show", "download", "export",
)  # fmt: skip
_TOKENS = ("getAccessToken", "getOpenIdToken")

JUSTIFIED: Mapping[str, str] = {
    "roles/artifactregistry.admin": "updates make repositories; the role is Google's narrowest that does",
    "roles/artifactregistry.writer": "packages of other formats cannot be in a Docker repository",
    "roles/billing.user": "Google's narrowest role that links a project; promotions are redeemed once, by people",
    "roles/binaryauthorization.policyEditor": "updates write the policy; platform policies are in the role, too",
    "roles/cloudkms.admin": "updates make keys; the role uses none of them",
    "roles/cloudsql.admin": "updates make instances; Google has no role for that without backups and restores",
    "roles/cloudsql.instanceUser": "SQL by the API has the rights of the same database user",
    "roles/compute.networkAdmin": "updates make networks, routers and connection policies; load balancers are GKE's",
    "roles/compute.securityAdmin": "updates make firewall rules; Google's narrowest role for them",
    "roles/container.admin": "RBAC lets nobody grant what they do not hold, so an update is a cluster administrator",
    "roles/dns.admin": "updates make private zones; the role is Google's narrowest that does",
    "roles/gkebackup.admin": "updates make backup plans; the role may also delete unlocked backups",
    "roles/iam.roleAdmin": "updates make one custom role; that is what the role is for",
    "roles/iam.serviceAccountAdmin": "updates make accounts; keys are not in the role",
    "roles/iam.workloadIdentityUser": "an identity token proves what an access token proves already",
    "roles/iam.securityReviewer": "ephemeral environments without a project yet; its writes are tests of access",
    "roles/pubsub.admin": "updates make topics; the role may publish to them, too",
    "roles/resourcemanager.projectIamAdmin": "updates grant in their project; policy bindings are unused here",
    "roles/secretmanager.admin": "ephemeral environments: their secrets are deleted; a folder has no custom roles",
    "roles/serviceusage.serviceUsageAdmin": "updates enable APIs; quota overrides are unused here",
    "roles/storage.objectUser": "the objects of one state, by a condition; uploads in parts are the client's",
    "roles/viewer": "ephemeral environments without a project yet; its writes are reviews of one's own access",
}
"""Why a role may hold writes that no duty of its members needs. A role that is not here must hold none."""


@dataclass(frozen=True)
class Finding:
    """One difference between bindings and duties."""

    identity: str
    message: str

    def __str__(self) -> str:
        return f"{self.identity}: {self.message}"


def is_write(permission: str) -> bool:
    """Whether a permission changes something or yields a token."""
    verb = permission.rpartition(".")[2]
    return verb in _TOKENS or not verb.startswith(_READS)


def findings(model: AccessModel, duties: Iterable[Duty]) -> list[Finding]:
    """Every difference: duties that are not allowed, writes that nobody needs, identities that have no duty."""
    listed = list(duties)
    return [*missing(model, listed), *surplus(model, listed)]


def missing(model: AccessModel, duties: Iterable[Duty]) -> Iterator[Finding]:
    """Duties that are not allowed."""
    for duty in duties:
        for permission in sorted(duty.permissions):
            decision = model.may(duty.identity, permission, duty.resource, granted=duty.grants)
            if not decision:
                yield Finding(
                    duty.identity, f"may not {duty.does}: {permission} on {duty.resource} ({decision.reason})"
                )


def surplus(model: AccessModel, duties: Iterable[Duty]) -> Iterator[Finding]:
    """Bindings whose role holds writes that no duty of the member needs there."""
    needed = _needed(model, duties)
    for binding in model.bindings:
        member = principals.canonical(binding.member, model.numbers)
        mine = {
            permission
            for resource, permissions in needed.get(member, {}).items()
            if binding.resource in set(inside_of(resource, model.parents))
            for permission in permissions
        }
        held = model.permissions(binding.role)
        extra = sorted(permission for permission in held - mine if is_write(permission))
        if binding.role in JUSTIFIED and held & mine:
            continue
        if extra or not mine:
            yield Finding(member, f"{binding.role} on {binding.resource} is more than its duties need{_shown(extra)}")


def unjustified(model: AccessModel, duties: Iterable[Duty]) -> set[str]:
    """Roles in `JUSTIFIED` that no binding has, or whose writes are all needed: the reason is out of date."""
    needed = _needed(model, duties)
    stale = set(JUSTIFIED)
    for binding in model.bindings:
        member = principals.canonical(binding.member, model.numbers)
        mine = {one for permissions in needed.get(member, {}).values() for one in permissions}
        if any(is_write(one) and one not in mine for one in model.permissions(binding.role)):
            stale.discard(binding.role)
    return stale


def same(model: AccessModel, one: str, other: str) -> bool:
    """Whether two principals are one identity."""
    return principals.canonical(one, model.numbers) == principals.canonical(other, model.numbers)


def _needed(model: AccessModel, duties: Iterable[Duty]) -> dict[str, dict[str, set[str]]]:
    """Permissions by identity and resource."""
    found: dict[str, dict[str, set[str]]] = {}
    for duty in duties:
        identity = principals.canonical(duty.identity, model.numbers)
        found.setdefault(identity, {}).setdefault(model.resolve(duty.resource), set()).update(duty.permissions)
    return found


def _shown(permissions: list[str]) -> str:
    if not permissions:
        return ": it has no duty there"
    more = f" and {len(permissions) - 5} more" if len(permissions) > 5 else ""
    return f": {', '.join(permissions[:5])}{more}"
