"""Limits of an existing project: its service accounts, and the principals of its policy."""

from __future__ import annotations

from collections.abc import Iterator

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, ask
from components.node_account import node_account_id
from infra.environment import physical_name
from infra.stack import StackConfig

NAMES = ("service accounts", "principals")
SERVICE_ACCOUNTS = 100
"""Service accounts of a project, unless Google has raised the limit: https://cloud.google.com/iam/quotas"""

PRINCIPALS = 1500
"""Principals of one allow policy, each counted once for each binding: https://cloud.google.com/iam/quotas"""

_ROLES_OF_A_LOGIN = 2
_PAGE = "100"


def checks(google: Google, name: str, config: StackConfig) -> Iterator[Check]:
    """Check the project of an environment; `config` includes the services that run there."""
    fix = f"ask for roles/iam.securityReviewer on {config.project.id}"
    yield ask(NAMES[0], fix, lambda: _accounts(google, config.project.id, accounts(name, config)))
    yield ask(NAMES[1], fix, lambda: _principals(google, config, len(accounts(name, config))))


def accounts(name: str, config: StackConfig) -> set[str]:
    """IDs of the service accounts that the program creates in an environment's project."""
    names = {f"{user}-sql" for database in config.databases.values() for user in database.users}
    names.add(node_account_id(physical_name(name)))
    if config.upstream is not None:
        names.add("platform-deployer")
    if config.preview_namespaces is not None:
        names.add("platform-preview-namespaces")
    return names


def _accounts(google: Google, project: str, planned: set[str]) -> Check:
    there: set[str] = set()
    token = ""
    while True:
        url = f"https://iam.googleapis.com/v1/projects/{project}/serviceAccounts"
        page = google.call("GET", url, params={"pageSize": _PAGE, **({"pageToken": token} if token else {})})
        there |= {str(account["email"]).partition("@")[0] for account in page.get("accounts", [])}
        token = str(page.get("nextPageToken", ""))
        if not token:
            break
    total = len(there | planned)
    words = f"{len(there)} in {project}, {total} with all of the environment's; {SERVICE_ACCOUNTS} by default"
    fix = f"ask for more at https://console.cloud.google.com/iam-admin/quotas?project={project}"
    # A warning: Google may have raised the limit, which only the Cloud Quotas API shows.
    enough = total <= SERVICE_ACCOUNTS
    return Check(NAMES[0], enough, words, "" if enough else fix, needed=False)


def _principals(google: Google, config: StackConfig, accounts: int) -> Check:
    project = config.project.id
    url = f"https://cloudresourcemanager.googleapis.com/v3/projects/{project}:getIamPolicy"
    bindings = google.call("POST", url, body={"options": {"requestedPolicyVersion": 3}}).get("bindings", [])
    there = sum(len(binding.get("members", [])) for binding in bindings)
    logins = sum(len(database.users) for database in config.databases.values())
    need = logins * _ROLES_OF_A_LOGIN + (config.cluster.admin_group is not None) + accounts
    total = there + need
    words = f"{there} in the policy of {project}, at most {need} more; {PRINCIPALS} is Google's limit"
    enough = total <= PRINCIPALS
    return Check(NAMES[1], enough, words, "" if enough else "grant roles to groups instead of to their members")
