"""Who is logged in, who pays, and whether the project can be had or is the one that the file names."""

from __future__ import annotations

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, asked, right, wrong


def logged_in(google: Google) -> Check:
    """Who is logged in, and whether calls are counted somewhere."""
    from google.oauth2.credentials import Credentials

    if isinstance(google.credentials, Credentials) and not google.credentials.quota_project_id:
        fix = "gcloud auth application-default set-quota-project ADMIN_PROJECT"
        return wrong("login", f"{google.who}, whose calls are counted in no project", fix)
    return right("login", google.who)


def billing(google: Google, project: str, account: str | None) -> Check:
    """Whether the account of a new project is open, or somebody pays for one that is there."""

    def look() -> Check:
        if account is not None:
            is_open = google.billing.get_billing_account(name=f"billingAccounts/{account}").open_
            return Check("billing", is_open, f"{account} is {'open' if is_open else 'closed'}", "" if is_open else fix)
        info = google.billing.get_project_billing_info(name=f"projects/{project}")
        words = info.billing_account_name.removeprefix("billingAccounts/")
        mend = f"gcloud billing projects link {project} --billing-account ACCOUNT"
        on = info.billing_enabled
        return Check("billing", on, f"{project} is paid by {words}" if on else f"{project} is off", "" if on else mend)

    fix = "name an open billing account that you may use (roles/billing.user)"
    return asked("billing", fix, look)


def id_free(google: Google, project: str) -> Check:
    """Whether a project id can be had; one of somebody else's cannot be told from a free one."""
    from atwork.environments.bootstrap.projects import found

    fix = "choose another project.id; the id of a deleted project is never free again"

    def look() -> Check:
        seen = found(google, project)
        if seen is not None:
            return wrong("project", f"{project} is there already, with number {seen[0]}", fix)
        return right("project", f"{project} is free, as far as you may see")

    return asked("project", fix, look)


def reachable(google: Google, project: str, number: str | None) -> Check:
    """Whether a project is there and is the one that the file names."""
    from atwork.environments.bootstrap.projects import found

    fix = f"ask for roles/viewer on {project}"

    def look() -> Check:
        seen = found(google, project)
        if seen is None:
            return wrong("project", f"{project} is not there, or you may not see it", fix)
        if number is not None and seen[0] != number:
            words = f"{project} has the number {seen[0]} and not {number}"
            return wrong("project", words, "correct the stack file")
        return right("project", project)

    return asked("project", fix, look)
