"""All checks of one environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from atwork.environments.bootstrap import google as cloud
from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import GoogleError
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.preflight import databases, limits, network, organization, region, secrets
from atwork.environments.preflight.check import Check
from atwork.environments.preflight.project import billing, id_free, logged_in, reachable
from atwork.environments.preflight.state import key, state_bucket
from infra.company import CompanySettings
from infra.stack import StackConfig

NAMES = (
    "billing",
    "project",
    "state bucket",
    "KMS key",
    *organization.NAMES,
    *secrets.NAMES,
    *region.NAMES,
    *limits.NAMES,
    *databases.NAMES,
)
"""Names of the checks that need a login."""


def preflight(
    name: str,
    config: StackConfig,
    platform: CompanySettings | None,
    *,
    sibling: str = "",
    bootstrapped: bool = False,
    login: Callable[[], Google] = cloud.login,
) -> list[Check]:
    """All checks of a new environment, or of one after its bootstrap.

    `sibling` is a project to read quotas from if the environment's does not exist.
    """
    try:
        google = login()
    except GoogleError as error:
        reason, _, fix = str(error).rpartition("; ")
        names = (*NAMES, *network.names(config))
        return [Check("login", None, reason, fix), *(Check(check, None, "not checked: no login") for check in names)]
    return [
        logged_in(google),
        *checks_after_login(google, name, config, platform, sibling=sibling, bootstrapped=bootstrapped),
    ]


def checks_after_login(
    google: Google,
    name: str,
    config: StackConfig,
    platform: CompanySettings | None,
    *,
    sibling: str,
    bootstrapped: bool,
) -> Iterator[Check]:
    """The checks after the login."""
    project = config.project
    there = bootstrapped or project.create is None
    yield billing(google, project.id, project.create.billing_account if project.create else None)
    yield reachable(google, project.id, project.number) if there else id_free(google, project.id)
    yield from _platform(google, name, config, platform, there=there, bootstrapped=bootstrapped)
    yield from secrets.checks(google, name, config, bootstrapped=bootstrapped)
    yield from region.checks(google, config, project.id if there else sibling, own=project.create is None)
    yield from limits.checks(google, name, config, there=there)
    yield from databases.checks(google, config)
    yield from network.checks(google, config)
    if platform is not None:
        yield from network.rights_check(google, BootstrapPlan(name, config, platform))


def _platform(
    google: Google, name: str, config: StackConfig, platform: CompanySettings | None, *, there: bool, bootstrapped: bool
) -> Iterator[Check]:
    """Checks of what stacks/platform.yaml names: state bucket, key, organization."""
    if platform is None:
        where = "not checked: stacks/platform.yaml is missing"
        names = ("state bucket", "KMS key", *organization.NAMES)
        yield from (Check(check, None, where, "write it (docs/bootstrap.md)") for check in names)
        return
    ephemeral_stacks = frozenset({name} if config.environment.kind == "ephemeral" else ())
    plan = BootstrapPlan(name, config, platform, ephemeral_stacks)
    yield state_bucket(google, plan, bootstrapped=bootstrapped)
    yield key(google, plan, bootstrapped=bootstrapped)
    create = config.project.create
    parent = f"projects/{config.project.id}" if there or create is None else f"folders/{create.folder_id}"
    yield from organization.checks(google, config, platform, parent)
