"""Checks of the login, the billing account and the project."""

from __future__ import annotations

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, ask, right, wrong


def logged_in(google: Google) -> Check:
    """Check who is logged in, and that a project is set for quotas."""
    from google.oauth2.credentials import Credentials

    if isinstance(google.credentials, Credentials) and not google.credentials.quota_project_id:
        fix = "gcloud auth application-default set-quota-project ADMIN_PROJECT"
        return wrong("login", f"{google.who}, without a quota project", fix)
    return right("login", google.who)


def billing(google: Google, project: str, account: str | None) -> Check:
    """Check that the billing account of a new project is open, or that an existing project has billing."""

    def query() -> Check:
        if account is not None:
            is_open = google.billing.get_billing_account(name=f"billingAccounts/{account}").open_
            return Check("billing", is_open, f"{account} is {'open' if is_open else 'closed'}", "" if is_open else fix)
        info = google.billing.get_project_billing_info(name=f"projects/{project}")
        words = info.billing_account_name.removeprefix("billingAccounts/")
        link = f"gcloud billing projects link {project} --billing-account ACCOUNT"
        on = info.billing_enabled
        return Check(
            "billing",
            on,
            f"{project} is billed to {words}" if on else f"billing of {project} is off",
            "" if on else link,
        )

    fix = "name an open billing account that you may use (roles/billing.user)"
    return ask("billing", fix, query)


def id_free(google: Google, project: str) -> Check:
    """Check that a project ID is free; an invisible project of somebody else looks the same."""
    from atwork.environments.bootstrap.projects import find_project

    fix = "choose another project.id; the ID of a deleted project is never free again"

    def query() -> Check:
        existing = find_project(google, project)
        if existing is not None:
            return wrong("project", f"{project} already exists, with number {existing[0]}", fix)
        return right("project", f"{project} is free, unless a project that you may not see has it")

    return ask("project", fix, query)


def reachable(google: Google, project: str, number: str | None) -> Check:
    """Check that a project exists and has the number in the stack file."""
    from atwork.environments.bootstrap.projects import find_project

    fix = f"ask for roles/viewer on {project}"

    def query() -> Check:
        existing = find_project(google, project)
        if existing is None:
            return wrong("project", f"{project} does not exist, or you may not see it", fix)
        if number is not None and existing[0] != number:
            words = f"{project} has the number {existing[0]}, not {number}"
            return wrong("project", words, "correct the stack file")
        return right("project", project)

    return ask("project", fix, query)
