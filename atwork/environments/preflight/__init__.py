"""What Google says, asked read-only, before an environment is made: one line for each thing, with its fix.

`preflight(name, config, platform)` is for an environment that is to be; `made=True` for one that bootstrap was run for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from atwork.environments.bootstrap import google as cloud
from atwork.environments.bootstrap.google import Google, GoogleError
from atwork.environments.bootstrap.plan import Plan
from atwork.environments.preflight import databases, limits, organization, region, secrets
from atwork.environments.preflight.check import Check, right, wrong
from atwork.environments.preflight.project import billing, id_free, logged_in, reachable
from atwork.environments.preflight.state import key, state_bucket
from infra.company import CompanySettings
from infra.stack import StackConfig

__all__ = ["NAMES", "Check", "logged_in", "looked", "preflight", "right", "state_bucket", "wrong"]

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
"""What is looked at once somebody is logged in."""


def preflight(
    name: str,
    config: StackConfig,
    platform: CompanySettings | None,
    *,
    sibling: str = "",
    made: bool = False,
    login: Callable[[], Google] = cloud.login,
) -> list[Check]:
    """All checks of one environment. `sibling` is a project whose quotas stand for one that is not there yet."""
    try:
        google = login()
    except GoogleError as error:
        reason, _, fix = str(error).rpartition("; ")
        return [Check("login", None, reason, fix), *(Check(one, None, "not checked: no login") for one in NAMES)]
    return [logged_in(google), *looked(google, name, config, platform, sibling=sibling, made=made)]


def looked(
    google: Google, name: str, config: StackConfig, platform: CompanySettings | None, *, sibling: str, made: bool
) -> Iterator[Check]:
    """The checks after the login."""
    project = config.project
    there = made or project.create is None
    yield billing(google, project.id, project.create.billing_account if project.create else None)
    yield reachable(google, project.id, project.number) if there else id_free(google, project.id)
    yield from _platform(google, name, config, platform, there=there, made=made)
    yield from secrets.checks(google, name, config, made=made)
    yield from region.checks(google, config, project.id if there else sibling, own=project.create is None)
    if there:
        yield from limits.checks(google, name, config)
    else:
        yield from (Check(one, None, "not checked: the project is not there yet") for one in limits.NAMES)
    yield from databases.checks(google, config)


def _platform(
    google: Google, name: str, config: StackConfig, platform: CompanySettings | None, *, there: bool, made: bool
) -> Iterator[Check]:
    """What stacks/platform.yaml names: the state, the key, the organization."""
    if platform is None:
        where = "not checked: there is no stacks/platform.yaml"
        names = ("state bucket", "KMS key", *organization.NAMES)
        yield from (Check(one, None, where, "write it (docs/bootstrap.md)") for one in names)
        return
    ephemeral_stacks = frozenset({name} if config.environment.kind == "ephemeral" else ())
    plan = Plan(name, config, platform, ephemeral_stacks)
    yield state_bucket(google, plan, made=made)
    yield key(google, plan, made=made)
    create = config.project.create
    parent = f"projects/{config.project.id}" if there or create is None else f"folders/{create.folder_id}"
    yield from organization.checks(google, config, platform, parent)
