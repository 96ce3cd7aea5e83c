"""Checks of the organization: which principals may have roles, and whether the groups exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, ask, right, wrong
from infra.company import CompanySettings
from infra.stack import StackConfig

NAMES = ("domain restriction", "groups")
CONSTRAINTS = ("iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers")
"""The legacy and the managed constraint: https://cloud.google.com/organization-policy/restrict-domains"""


def checks(google: Google, config: StackConfig, platform: CompanySettings, parent: str) -> Iterator[Check]:
    """Check `projects/ID`, or `folders/NUMBER` if the project does not exist yet."""
    fix = f"ask for roles/orgpolicy.policyViewer on {parent}"
    yield ask(NAMES[0], fix, lambda: _restriction(google, platform.organization or "", parent), needed=False)
    fix = "ask somebody who manages groups in Google Workspace"
    yield ask(NAMES[1], fix, lambda: _groups(google, groups(config)), needed=False)


def groups(config: StackConfig) -> list[str]:
    """Google Groups that get roles in the environment; a binding to a missing group fails the update."""
    names = {*config.groups(), *(group for database in config.databases.values() for group in database.groups)}
    return sorted(names | ({config.cluster.admin_group} if config.cluster.admin_group else set()))


def _restriction(google: Google, organization: str, parent: str) -> Check:
    limited: list[str] = []
    for constraint in CONSTRAINTS:
        url = f"https://orgpolicy.googleapis.com/v2/{parent}/policies/{constraint}:getEffectivePolicy"
        limited += _allowed(google.call("GET", url).get("spec", {}).get("rules", []))
    if not limited:
        return right(NAMES[0], "roles may be granted to any principal")
    words = f"roles are granted only to {', '.join(sorted(set(limited)))}"
    own = f"organizations/{organization or 'NUMBER'}"
    if organization and any(principal.endswith(own) for principal in limited):
        return right(NAMES[0], f"{words}; this includes the organization's workload identity pools")
    fix = (
        f"let an organization policy administrator allow principalSet://iam.googleapis.com/{own}: pods and CI are "
        "granted roles as principal://, which a customer ID may exclude"
    )
    return wrong(NAMES[0], words, fix, needed=False)


def _allowed(rules: list[dict[str, Any]]) -> Iterator[str]:
    """Principals that the rules of one constraint allow; empty if they allow everybody."""
    for rule in rules:
        values = rule.get("values") or {}
        parameters = rule.get("parameters") or {} if rule.get("enforce") else {}
        yield from values.get("allowedValues", [])
        for key in ("allowedMemberSubjects", "allowedPrincipalSets"):
            yield from parameters.get(key, [])
        if rule.get("denyAll"):
            yield "nobody"


def _groups(google: Google, wanted: list[str]) -> Check:
    """Check that groups exist. Cloud Identity also answers Forbidden for a missing group."""
    from google.api_core.exceptions import Forbidden, NotFound

    missing: list[str] = []
    unseen: list[str] = []
    for group in wanted:
        try:
            google.call("GET", "https://cloudidentity.googleapis.com/v1/groups:lookup", params={"groupKey.id": group})
        except NotFound:
            missing.append(group)
        except Forbidden as error:
            if "SERVICE_DISABLED" in str(error.details):
                raise
            unseen.append(group)
    if missing:
        fix = "create them in Google Workspace, or correct their addresses: a grant to a missing group fails the update"
        return wrong(NAMES[1], f"not found: {', '.join(missing)}", fix, needed=False)
    if unseen:
        return Check(
            NAMES[1], None, f"not found, or you may not see them: {', '.join(unseen)}", "check Google Workspace"
        )
    return right(NAMES[1], f"{len(wanted)} exist" if wanted else "no group has a role")
