"""Projects: made or found, paid for, with the APIs that the rest needs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from atwork.environments.bootstrap.google import Google, GoogleError, Late, explain_errors
from atwork.environments.bootstrap.step import IS_RIGHT, Context, Step


def found(google: Google, project: str) -> tuple[str, str] | None:
    """Number and parent of a project; nothing where there is none that may be seen."""
    from google.api_core.exceptions import Forbidden, NotFound
    from google.cloud.resourcemanager_v3 import Project

    try:
        one = google.projects.get_project(name=f"projects/{project}")
    except (Forbidden, NotFound):  # Google says Forbidden for what is not there, too
        return None
    if one.state != Project.State.ACTIVE:
        raise GoogleError(
            f"the project {project} is being deleted; `gcloud projects undelete {project}` brings it back within 30 "
            "days. The id of a deleted project is never free again: else choose another one"
        )
    return one.name.removeprefix("projects/"), one.parent


def make(key: str, project: str, name: str, parent: str) -> Step:
    """A project that is there, or is made below a folder or an organisation."""

    def ensure(context: Context) -> str:
        from google.api_core.exceptions import Conflict
        from google.cloud.resourcemanager_v3 import Project

        google, doing = context.google, f"make the project {project}"
        with explain_errors(doing, f"ask for roles/resourcemanager.projectCreator on {parent}"):
            seen = found(google, project)
            if seen is not None:
                return IS_RIGHT if seen[1] in ("", parent) else f"is right, but hangs below {seen[1]} and not {parent}"
            try:
                wanted = Project(project_id=project, display_name=name, parent=parent)
                google.wait(google.projects.create_project(project=wanted), doing)
            except Conflict:
                if not context.resumed:
                    raise GoogleError(_taken(project)) from None
                _wait_for_ours(google, project, doing)
                return "was made by the run before"
            google.wait_until(lambda: found(google, project) is not None, doing)
            return "made"

    kind, _, number = parent.partition("/")
    command = f"gcloud projects create {project} --name={shlex.quote(name)} --{kind.removesuffix('s')}={number}"
    return Step(key, f"project {project}", (command,), ensure)


def _taken(project: str) -> str:
    return (
        f"the project id {project} is taken, by a project that you may not see or one that was deleted; choose another "
        "id, or ask its owner for roles/viewer. The id of a deleted project is never free again"
    )


def _wait_for_ours(google: Google, project: str, doing: str) -> None:
    """A creation that was asked for before this process began shows up late, if it was ours."""
    try:
        google.wait_until(lambda: found(google, project) is not None, doing)
    except Late:
        raise GoogleError(_taken(project)) from None


def adopt(key: str, project: str, number: str, file: str) -> Step:
    """A project that a stack file names with its number."""

    def ensure(context: Context) -> str:
        with explain_errors(f"look at the project {project}", f"ask for roles/viewer on {project}"):
            seen = found(context.google, project)
        if seen is None:
            raise GoogleError(
                f"{file}: project {project} is not there, or you may not see it; ask for roles/viewer on it, or have "
                "it made: put create (name, folder_id, billing_account) in place of number"
            )
        if seen[0] != number:
            raise GoogleError(f"{file}: project {project} has the number {seen[0]} and not {number}; correct the file")
        return IS_RIGHT

    return Step(key, f"project {project}", (f"gcloud projects describe {project}",), ensure)


def pay(key: str, project: str, account: str | None) -> Step:
    """Billing of a project: linked where nobody pays; `account` is none where it only must be on."""

    def ensure(context: Context) -> str:
        from google.cloud.billing_v1 import ProjectBillingInfo

        google = context.google
        with explain_errors(f"billing of {project}", "ask for roles/billing.user on the billing account"):
            info = google.billing.get_project_billing_info(name=f"projects/{project}")
            wanted = f"billingAccounts/{account}"
            if info.billing_enabled and (account is None or info.billing_account_name == wanted):
                return IS_RIGHT
            if account is None:
                raise GoogleError(
                    f"billing of {project} is off; run `gcloud billing projects link {project} "
                    "--billing-account ACCOUNT`"
                )
            if info.billing_enabled:
                raise GoogleError(
                    f"{project} is paid by {info.billing_account_name} and not {wanted}; correct the settings, or run "
                    f"`gcloud billing projects link {project} --billing-account {account}`"
                )
            if not google.billing.get_billing_account(name=wanted).open_:
                raise GoogleError(f"the billing account {account} is closed; open it, or name another one")
            google.billing.update_project_billing_info(
                name=f"projects/{project}", project_billing_info=ProjectBillingInfo(billing_account_name=wanted)
            )
            return "linked"

    link = f"gcloud billing projects link {project} --billing-account={account}"
    look = f"gcloud billing projects describe {project}"
    return Step(key, f"billing of {project}", (link if account else look,), ensure)


def enable(key: str, project: str, services: Iterable[str]) -> Step:
    """APIs that are on in a project."""
    wanted = sorted(services)

    def ensure(context: Context) -> str:
        google, doing = context.google, f"switch APIs on in {project}"
        with explain_errors(doing, f"ask for roles/serviceusage.serviceUsageAdmin on {project}"):
            missing = off(google, project, wanted)
            if not missing:
                return IS_RIGHT
            request = {"parent": f"projects/{project}", "service_ids": missing}
            google.wait(google.services.batch_enable_services(request=request), doing)
            return f"switched on {', '.join(one.removesuffix('.googleapis.com') for one in missing)}"

    command = f"gcloud services enable {' '.join(wanted)} --project={project}"
    return Step(key, f"APIs of {project}", (command,), ensure)


def off(google: Google, project: str, services: Iterable[str]) -> list[str]:
    """Those of the services that are not on."""
    from google.cloud.service_usage_v1 import State

    names = [f"projects/{project}/services/{service}" for service in services]
    request = {"parent": f"projects/{project}", "names": names}
    states = google.services.batch_get_services(request=request).services
    on = {one.name.rpartition("/")[2] for one in states if one.state == State.ENABLED}
    return [service for service in services if service not in on]
