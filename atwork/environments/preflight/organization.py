"""What the organization decides: who may be granted a role at all, and whether the groups are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, asked, right, wrong
from infra.company import CompanySettings
from infra.stack import StackConfig

NAMES = ("domain restriction", "groups")
CONSTRAINTS = ("iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers")
"""The legacy and the managed constraint: https://cloud.google.com/organization-policy/restrict-domains"""


def checks(google: Google, config: StackConfig, platform: CompanySettings, parent: str) -> Iterator[Check]:
    """Look at what holds for `projects/ID`, or for `folders/NUMBER` where a project is to be made."""
    fix = f"ask for roles/orgpolicy.policyViewer on {parent}"
    yield asked(NAMES[0], fix, lambda: _restriction(google, platform.organization or "", parent), needed=False)
    fix = "ask somebody who manages groups in Google Workspace"
    yield asked(NAMES[1], fix, lambda: _groups(google, groups(config)), needed=False)


def groups(config: StackConfig) -> list[str]:
    """All Google Groups that the environment grants something: a binding to one that is not there fails the update."""
    found = {*config.groups(), *(group for database in config.databases.values() for group in database.groups)}
    return sorted(found | ({config.cluster.admin_group} if config.cluster.admin_group else set()))


def _restriction(google: Google, organization: str, parent: str) -> Check:
    limited: list[str] = []
    for constraint in CONSTRAINTS:
        url = f"https://orgpolicy.googleapis.com/v2/{parent}/policies/{constraint}:getEffectivePolicy"
        limited += _allowed(google.call("GET", url).get("spec", {}).get("rules", []))
    if not limited:
        return right(NAMES[0], "roles may be granted to any principal")
    words = f"roles are granted only to {', '.join(sorted(set(limited)))}"
    own = f"organizations/{organization or 'NUMBER'}"
    if organization and any(one.endswith(own) for one in limited):
        return right(NAMES[0], f"{words}; that has the organization's workload identity pools in it")
    fix = (
        f"let an organization policy administrator allow principalSet://iam.googleapis.com/{own}: pods and CI are "
        "granted roles as principal://, and a customer id may not let these in"
    )
    return wrong(NAMES[0], words, fix, needed=False)


def _allowed(rules: list[dict[str, Any]]) -> Iterator[str]:
    """Whom the rules of one constraint let in; nobody is named where they let everybody in."""
    for rule in rules:
        values = rule.get("values") or {}
        parameters = rule.get("parameters") or {} if rule.get("enforce") else {}
        yield from values.get("allowedValues", [])
        for key in ("allowedMemberSubjects", "allowedPrincipalSets"):
            yield from parameters.get(key, [])
        if rule.get("denyAll"):
            yield "nobody"


def _groups(google: Google, wanted: list[str]) -> Check:
    """Cloud Identity says Forbidden of a group that is not there as of one that may not be seen."""
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
        fix = "make them in Google Workspace, or correct their addresses: a grant to a missing group fails the update"
        return wrong(NAMES[1], f"not there: {', '.join(missing)}", fix, needed=False)
    if unseen:
        return Check(NAMES[1], None, f"not there, or you may not see them: {', '.join(unseen)}", "look in Workspace")
    return right(NAMES[1], f"{len(wanted)} are there" if wanted else "none is granted anything")
