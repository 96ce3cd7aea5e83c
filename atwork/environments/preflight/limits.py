"""Limits of an existing project, counted with what is in it, and limits that follow from the settings alone.

The limits are those of infra/limits.py, and what an environment needs of them is in infra/needs.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, ask, right
from atwork.environments.preflight.region import COMPUTE
from infra.limits import PRINCIPALS, SERVICE_ACCOUNTS
from infra.needs import grants, service_accounts, sizes
from infra.stack import StackConfig

_IN_PROJECT = ("service accounts", "principals", "network quotas")
NAMES = (*_IN_PROJECT, "catalog limits")

_NETWORK = {"NETWORKS": 1, "SUBNETWORKS": 1, "ROUTERS": 1, "FIREWALLS": 1, "ROUTES": 0}
"""What the program creates of each quota of a project; GKE adds firewall rules of its own.
https://cloud.google.com/vpc/docs/quota"""

_PAGE = "100"


def checks(google: Google, name: str, config: StackConfig, *, there: bool) -> Iterator[Check]:
    """Check an environment, and its project if it is there; `config` includes the services that run there."""
    project = config.project.id
    fix = f"ask for roles/iam.securityReviewer on {project}"
    if there:
        yield ask(NAMES[0], fix, lambda: _accounts(google, project, service_accounts(name, config)))
        yield ask(NAMES[1], fix, lambda: _principals(google, project, grants(name, config)))
        fix = f"ask for roles/compute.viewer on {project}"
        if config.network.existing is None:
            yield ask(NAMES[2], fix, lambda: _network(google, config), needed=False)
        else:
            yield right(NAMES[2], "the environment creates nothing in its network")
    else:
        yield from (Check(check, None, "not checked: the project does not exist yet") for check in _IN_PROJECT)
    yield _sizes(config)


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
    total, most = len(there | planned), SERVICE_ACCOUNTS.most
    words = f"{len(there)} in {project}, {total} with all of the environment's; {most} by default"
    fix = f"ask for more at {_console(project)}"
    # A warning: Google may have raised the limit, which only the Cloud Quotas API shows.
    enough = total <= most
    return Check(NAMES[0], enough, words, "" if enough else fix, needed=False)


def _principals(google: Google, project: str, planned: set[tuple[str, str]]) -> Check:
    url = f"https://cloudresourcemanager.googleapis.com/v3/projects/{project}:getIamPolicy"
    bindings = google.call("POST", url, body={"options": {"requestedPolicyVersion": 3}}).get("bindings", [])
    there = [(binding["role"], member) for binding in bindings for member in binding.get("members", [])]
    missing = len(planned - set(there))
    words = f"{len(there)} in the policy of {project}, at most {missing} more; {PRINCIPALS.most} is Google's limit"
    enough = len(there) + missing <= PRINCIPALS.most
    return Check(NAMES[1], enough, words, "" if enough else "grant roles to groups instead of to their members")


def _network(google: Google, config: StackConfig) -> Check:
    """The quotas of the project's networks; a warning, because what the program has created counts as used."""
    project = config.project.id
    created = {**_NETWORK, "SUBNETWORKS": _NETWORK["SUBNETWORKS"] + (config.network.proxies is not None)}
    quotas: dict[str, Any] = {
        str(quota["metric"]): quota for quota in google.call("GET", f"{COMPUTE}/{project}").get("quotas", [])
    }
    known = {metric: quotas[metric] for metric in created if metric in quotas}
    words = ", ".join(
        f"{metric}: {int(quota['usage'])} of {int(quota['limit'])} used" for metric, quota in known.items()
    )
    short = [metric for metric, quota in known.items() if quota["usage"] + created[metric] > quota["limit"]]
    fix = f"ask for more {', '.join(short)} at {_console(project)}" if short else ""
    return Check(NAMES[2], not short, words or "no quota is known", fix, needed=False)


def _sizes(config: StackConfig) -> Check:
    """What follows from the settings; a warning, because quotas of pods and maximum sizes are rarely used up."""
    exceeded = [need for need in sizes(config) if need.exceeded]
    if not exceeded:
        return right(NAMES[3], "the services fit the limits of the cluster and of the databases")
    words = "; ".join(need.numbers for need in exceeded)
    return Check(NAMES[3], ok=False, detail=words, fix="; ".join(need.fix for need in exceeded), needed=False)


def _console(project: str) -> str:
    return f"https://console.cloud.google.com/iam-admin/quotas?project={project}"
