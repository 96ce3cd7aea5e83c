"""Steps for projects: create or find them, link billing, enable APIs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import GoogleError, OperationTimeout, explain_errors
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step


def find_project(google: Google, project: str) -> tuple[str, str] | None:
    """Number and parent of a project; None if it does not exist or is not visible."""
    from google.api_core.exceptions import Forbidden, NotFound
    from google.cloud.resourcemanager_v3 import Project

    try:
        answer = google.projects.get_project(name=f"projects/{project}")
    except (Forbidden, NotFound):  # Google answers Forbidden for missing projects, too
        return None
    if answer.state != Project.State.ACTIVE:
        raise GoogleError(
            f"the project {project} is being deleted; `gcloud projects undelete {project}` brings it back within 30 "
            "days. Otherwise choose another ID: that of a deleted project is never free again"
        )
    return answer.name.removeprefix("projects/"), answer.parent


def create(key: str, project: str, name: str, parent: str) -> Step:
    """Create a project in a folder or organization, unless it exists."""

    def ensure(context: Context) -> str:
        from google.api_core.exceptions import Conflict
        from google.cloud.resourcemanager_v3 import Project

        google, doing = context.google, f"create the project {project}"
        with explain_errors(doing, f"ask for roles/resourcemanager.projectCreator on {parent}"):
            existing = find_project(google, project)
            if existing is not None:
                return (
                    UNCHANGED
                    if existing[1] in ("", parent)
                    else f"unchanged, but its parent is {existing[1]}, not {parent}"
                )
            try:
                wanted = Project(project_id=project, display_name=name, parent=parent)
                google.wait(google.projects.create_project(project=wanted), doing)
            except Conflict:
                if not context.resumed:
                    raise GoogleError(_taken(project)) from None
                _wait_for_visible(google, project, doing)
                return "created by an earlier run"
            google.wait_until(lambda: find_project(google, project) is not None, doing)
            return "created"

    kind, _, number = parent.partition("/")
    command = f"gcloud projects create {project} --name={shlex.quote(name)} --{kind.removesuffix('s')}={number}"
    return Step(key, f"project {project}", (command,), ensure)


def _taken(project: str) -> str:
    return (
        f"the project ID {project} is taken by a project that you may not see or one that was deleted; choose another "
        "ID, or ask its owner for roles/viewer. The ID of a deleted project is never free again"
    )


def _wait_for_visible(google: Google, project: str, doing: str) -> None:
    """Wait for a project that an earlier run may have created; it becomes visible late."""
    try:
        google.wait_until(lambda: find_project(google, project) is not None, doing)
    except OperationTimeout:
        raise GoogleError(_taken(project)) from None


def check(key: str, project: str, number: str, file: str) -> Step:
    """Check a project that a stack file names with its number."""

    def ensure(context: Context) -> str:
        with explain_errors(f"read the project {project}", f"ask for roles/viewer on {project}"):
            existing = find_project(context.google, project)
        if existing is None:
            raise GoogleError(
                f"{file}: project {project} does not exist, or you may not see it; ask for roles/viewer on it, or "
                "let bootstrap create it: write create (name, folder_id, billing_account) instead of number"
            )
        if existing[0] != number:
            raise GoogleError(f"{file}: project {project} has the number {existing[0]}, not {number}; correct the file")
        return UNCHANGED

    return Step(key, f"project {project}", (f"gcloud projects describe {project}",), ensure)


def link_billing(key: str, project: str, account: str | None) -> Step:
    """Link a project to a billing account; without `account`, only check that billing is on."""

    def ensure(context: Context) -> str:
        from google.cloud.billing_v1 import ProjectBillingInfo

        google = context.google
        with explain_errors(f"billing of {project}", "ask for roles/billing.user on the billing account"):
            info = google.billing.get_project_billing_info(name=f"projects/{project}")
            wanted = f"billingAccounts/{account}"
            if info.billing_enabled and (account is None or info.billing_account_name == wanted):
                return UNCHANGED
            if account is None:
                raise GoogleError(
                    f"billing of {project} is off; run `gcloud billing projects link {project} "
                    "--billing-account ACCOUNT`"
                )
            if info.billing_enabled:
                raise GoogleError(
                    f"{project} is billed to {info.billing_account_name}, not {wanted}; correct the settings, or run "
                    f"`gcloud billing projects link {project} --billing-account {account}`"
                )
            if not google.billing.get_billing_account(name=wanted).open_:
                raise GoogleError(f"the billing account {account} is closed; reopen it, or choose another one")
            google.billing.update_project_billing_info(
                name=f"projects/{project}", project_billing_info=ProjectBillingInfo(billing_account_name=wanted)
            )
            return "linked"

    link = f"gcloud billing projects link {project} --billing-account={account}"
    look = f"gcloud billing projects describe {project}"
    return Step(key, f"billing of {project}", (link if account else look,), ensure)


def enable(key: str, project: str, services: Iterable[str]) -> Step:
    """Enable APIs in a project."""
    wanted = sorted(services)

    def ensure(context: Context) -> str:
        google, doing = context.google, f"enable APIs in {project}"
        with explain_errors(doing, f"ask for roles/serviceusage.serviceUsageAdmin on {project}"):
            missing = disabled_services(google, project, wanted)
            if not missing:
                return UNCHANGED
            request = {"parent": f"projects/{project}", "service_ids": missing}
            google.wait(google.services.batch_enable_services(request=request), doing)
            return f"enabled {', '.join(service.removesuffix('.googleapis.com') for service in missing)}"

    command = f"gcloud services enable {' '.join(wanted)} --project={project}"
    return Step(key, f"APIs of {project}", (command,), ensure)


def disabled_services(google: Google, project: str, services: Iterable[str]) -> list[str]:
    """Those of the services that are not enabled."""
    from google.cloud.service_usage_v1 import State

    names = [f"projects/{project}/services/{service}" for service in services]
    request = {"parent": f"projects/{project}", "names": names}
    states = google.services.batch_get_services(request=request).services
    on = {service.name.rpartition("/")[2] for service in states if service.state == State.ENABLED}
    return [service for service in services if service not in on]
