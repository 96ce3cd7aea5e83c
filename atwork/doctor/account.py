"""What is in this account: the admin project, and one environment where it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from atwork.environments import preflight
from atwork.environments.bootstrap import google as cloud
from atwork.environments.bootstrap.google import Google, GoogleError, told
from atwork.environments.bootstrap.plan import Plan
from atwork.environments.bootstrap.stack import secrets_provider_mistakes
from atwork.environments.preflight import Check, right, wrong
from infra.company import CompanySettings
from infra.layout import SERVICES_FOLDER
from infra.services import complete
from infra.services import read_all as services_in
from infra.stack import StackConfig

_ADMIN = ("admin project", "admin APIs", "state bucket")
_ENVIRONMENT = (*(one for one in preflight.NAMES if one != "state bucket"), "APIs")


def checks(
    stacks: Path,
    environments: dict[str, StackConfig],
    platform: CompanySettings,
    name: str,
    *,
    login: Callable[[], Google] = cloud.login,
) -> Iterator[Check]:
    """The account; what cannot be asked without a login is not looked at."""
    yield _lines(stacks, name)
    try:
        google = login()
    except GoogleError as error:
        reason, _, fix = str(error).rpartition("; ")
        yield Check("login", None, reason, fix)
        yield from (Check(one, None, "not looked at: no login") for one in (*_ADMIN, *(_ENVIRONMENT if name else ())))
        return
    yield preflight.logged_in(google)
    if not name:
        yield from _admin(google, platform)
        first = next(iter(environments))
        yield preflight.state_bucket(google, Plan(first, environments[first], platform), made=True)
        return
    config = complete(name, environments[name], services_in(stacks.parent / SERVICES_FOLDER))
    seen = list(preflight.looked(google, name, config, platform, sibling="", made=True))
    yield from seen
    if any(one.name == "project" and one.ok for one in seen):
        yield _apis(google, config)


def _lines(stacks: Path, name: str) -> Check:
    mistakes = [one for one in secrets_provider_mistakes(stacks) if not name or f"Pulumi.{name}.yaml" in one]
    if not mistakes:
        return right("stack files", "each knows its key, or none was bootstrapped yet")
    words, _, fix = mistakes[0].rpartition("; ")
    more = f", and {len(mistakes) - 1} more" if len(mistakes) > 1 else ""
    return wrong("stack files", words + more, fix)


def _admin(google: Google, platform: CompanySettings) -> Iterator[Check]:
    from atwork.environments.bootstrap.projects import found, off
    from atwork.environments.bootstrap.steps import ADMIN_SERVICES

    project = platform.admin_project
    try:
        with told("admin project", f"ask for roles/viewer on {project}"):
            if found(google, project) is None:
                fix = "atwork environment bootstrap NAME (docs/bootstrap.md), or ask for roles/viewer on it"
                yield wrong("admin project", f"{project} is not there, or you may not see it", fix)
                return
            yield right("admin project", project)
            missing = off(google, project, ADMIN_SERVICES)
            fix = f"gcloud services enable {' '.join(missing)} --project {project}"
            yield Check("admin APIs", not missing, f"{len(missing)} off" if missing else "on", fix if missing else "")
    except GoogleError as error:
        words, _, fix = str(error).rpartition("; ")
        yield wrong("admin project", words, fix)


def _apis(google: Google, config: StackConfig) -> Check:
    from atwork.environments.bootstrap.projects import off
    from components.project import PLATFORM_SERVICES

    project = config.project.id
    wanted = sorted({*PLATFORM_SERVICES, *config.services(), *config.project.extra_services})
    try:
        with told("APIs", f"ask for roles/serviceusage.serviceUsageViewer on {project}"):
            missing = [one for at in range(0, len(wanted), 20) for one in off(google, project, wanted[at : at + 20])]
    except GoogleError as error:
        words, _, fix = str(error).rpartition("; ")
        return wrong("APIs", words, fix)
    words = (
        f"{len(missing)} of {len(wanted)} are off, such as {missing[0]}; `pulumi up` switches them on"
        if missing
        else "on"
    )
    return Check("APIs", not missing, words, "", needed=False)
