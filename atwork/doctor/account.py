"""Checks of the Google Cloud account: the admin project, and one environment if it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from atwork.environments.advice import polling_note
from atwork.environments.bootstrap import google as cloud
from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import GoogleError, explain_errors
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.bootstrap.stack import secrets_provider_mistakes
from atwork.environments.preflight import run as preflight
from atwork.environments.preflight.check import Check, right, wrong
from atwork.environments.preflight.project import logged_in
from atwork.environments.preflight.state import state_bucket
from infra.catalog import read_all as services_in
from infra.company import CompanySettings
from infra.config import read_files
from infra.layout import SERVICES_FOLDER
from infra.service_composition import complete
from infra.stack import StackConfig

_ADMIN = ("admin project", "admin APIs", "state bucket")
_ENVIRONMENT = (*(name for name in preflight.NAMES if name != "state bucket"), "APIs")


def checks(
    stacks: Path,
    environments: dict[str, StackConfig],
    platform: CompanySettings,
    name: str,
    *,
    login: Callable[[], Google] = cloud.login,
) -> Iterator[Check]:
    """Check the account; without a login, most checks are skipped."""
    yield _stack_files(stacks, name)
    yield from _pushes(environments)
    try:
        google = login()
    except GoogleError as error:
        reason, _, fix = str(error).rpartition("; ")
        yield Check("login", None, reason, fix)
        skipped = (*_ADMIN, *(_ENVIRONMENT if name else ()))
        yield from (Check(check, None, "not checked: no login") for check in skipped)
        return
    yield logged_in(google)
    if not name:
        yield from _admin(google, platform)
        first = next(iter(environments))
        yield state_bucket(google, BootstrapPlan(first, environments[first], platform), bootstrapped=True)
        return
    config = complete(name, environments[name], services_in(stacks.parent / SERVICES_FOLDER))
    results = list(preflight.checks_after_login(google, name, config, platform, sibling="", bootstrapped=True))
    yield from results
    if any(result.name == "project" and result.ok for result in results):
        yield _apis(google, config)


def _stack_files(stacks: Path, name: str) -> Check:
    mistakes = [
        mistake
        for mistake in secrets_provider_mistakes(stacks, read_files(stacks))
        if not name or f"Pulumi.{name}.yaml" in mistake
    ]
    if not mistakes:
        return right("stack files", "each names its key, or none is bootstrapped yet")
    detail, _, fix = mistakes[0].rpartition("; ")
    more = f", and {len(mistakes) - 1} more" if len(mistakes) > 1 else ""
    return wrong("stack files", detail + more, fix)


def _pushes(environments: dict[str, StackConfig]) -> Iterator[Check]:
    """How Jenkins learns of pushes."""
    for name, config in environments.items():
        if config.jenkins is not None:
            line = polling_note(name, config)
            detail, _, fix = line.rpartition("; ")
            yield wrong("pushes", detail, fix, needed=False) if line else right("pushes", "GitHub calls Jenkins")


def _admin(google: Google, platform: CompanySettings) -> Iterator[Check]:
    from atwork.environments.bootstrap.projects import disabled_services, find_project
    from atwork.environments.bootstrap.steps import ADMIN_SERVICES

    project = platform.admin_project
    try:
        with explain_errors("admin project", f"ask for roles/viewer on {project}"):
            if find_project(google, project) is None:
                fix = "atwork environment bootstrap NAME (docs/bootstrap.md), or ask for roles/viewer on it"
                yield wrong("admin project", f"{project} does not exist, or you have no access", fix)
                return
            yield right("admin project", project)
            missing = disabled_services(google, project, ADMIN_SERVICES)
            fix = f"gcloud services enable {' '.join(missing)} --project {project}"
            yield Check("admin APIs", not missing, f"{len(missing)} off" if missing else "on", fix if missing else "")
    except GoogleError as error:
        detail, _, fix = str(error).rpartition("; ")
        yield wrong("admin project", detail, fix)


def _apis(google: Google, config: StackConfig) -> Check:
    from atwork.environments.bootstrap.projects import disabled_services
    from components.project import PLATFORM_SERVICES

    project = config.project.id
    wanted = sorted({*PLATFORM_SERVICES, *config.services(), *config.project.extra_services})
    try:
        with explain_errors("APIs", f"ask for roles/serviceusage.serviceUsageViewer on {project}"):
            batches = [wanted[start : start + 20] for start in range(0, len(wanted), 20)]
            missing = [api for batch in batches for api in disabled_services(google, project, batch)]
    except GoogleError as error:
        detail, _, fix = str(error).rpartition("; ")
        return wrong("APIs", detail, fix)
    detail = (
        f"{len(missing)} of {len(wanted)} are off, such as {missing[0]}; `pulumi up` enables them" if missing else "on"
    )
    return Check("APIs", not missing, detail, "", needed=False)
