"""What Google says, asked read-only, before an environment is made: one line for each thing, with its fix.

`preflight(name, config, platform)` is for an environment that is to be; `made=True` for one that bootstrap was run for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from atwork.environments.bootstrap import google as cloud
from atwork.environments.bootstrap.google import Google, GoogleError, told
from atwork.environments.bootstrap.plan import Plan
from atwork.environments.bootstrap.settings import PlatformSettings
from infra.stack import StackConfig

COMPUTE = "https://compute.googleapis.com/compute/v1/projects"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool | None
    """None: it was not looked at, or cannot be yet; `detail` says why."""
    detail: str
    fix: str = ""
    needed: bool = True
    """Whether it stands in the way."""

    @property
    def bad(self) -> bool:
        """Whether it stands in the way."""
        return self.needed and self.ok is False


def right(name: str, detail: str) -> Check:
    """What is as it should be."""
    return Check(name, ok=True, detail=detail)


def wrong(name: str, detail: str, fix: str, *, needed: bool = True) -> Check:
    """What is not, with its fix."""
    return Check(name, ok=False, detail=detail, fix=fix, needed=needed)


NAMES = ("billing", "project", "state bucket", "KMS key", "machine types", "CPU quota")
"""What is looked at once somebody is logged in."""


def preflight(
    name: str,
    config: StackConfig,
    platform: PlatformSettings | None,
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
    google: Google, name: str, config: StackConfig, platform: PlatformSettings | None, *, sibling: str, made: bool
) -> Iterator[Check]:
    """The checks after the login."""
    project = config.project
    yield billing(google, project.id, project.create.billing_account if project.create else None)
    yield id_free(google, project.id) if project.create and not made else reachable(google, project.id, project.number)
    if platform is None:
        where = "not checked: there is no stacks/platform.yaml"
        yield from (Check(one, None, where, "write it (docs/bootstrap.md)") for one in ("state bucket", "KMS key"))
    else:
        popups = frozenset({name} if config.environment.kind == "popup" else ())
        plan = Plan(name, config, platform, popups)
        yield state_bucket(google, plan, made=made)
        yield key(google, plan, made=made)
    yield from machines(google, config, project.id if made or not project.create else sibling, own=not project.create)


def _asked(name: str, fix: str, look: Callable[[], Check]) -> Check:
    """A check that Google may refuse to answer."""
    try:
        with told(name, fix):
            return look()
    except GoogleError as error:
        return wrong(name, str(error).removeprefix(f"{name}: "), fix)


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
    return _asked("billing", fix, look)


def id_free(google: Google, project: str) -> Check:
    """Whether a project id can be had; one of somebody else's cannot be told from a free one."""
    from atwork.environments.bootstrap.projects import found

    fix = "choose another project.id; the id of a deleted project is never free again"

    def look() -> Check:
        seen = found(google, project)
        if seen is not None:
            return wrong("project", f"{project} is there already, with number {seen[0]}", fix)
        return right("project", f"{project} is free, as far as you may see")

    return _asked("project", fix, look)


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

    return _asked("project", fix, look)


def state_bucket(google: Google, plan: Plan, *, made: bool) -> Check:
    """Whether the state is where nothing is lost and nobody from outside reads."""
    from atwork.environments.bootstrap.state import mistakes

    bucket, fix = plan.platform.bucket, f"atwork environment bootstrap {plan.name}"

    def look() -> Check:
        there = google.storage(plan.admin).lookup_bucket(bucket)
        if there is None:
            return Check("state bucket", False if made else None, f"{bucket} is not there yet; bootstrap makes it", fix)
        found = ", ".join(mistakes(there)).replace("was", "is")
        return (
            wrong("state bucket", f"{bucket}: {found}", fix) if found else right("state bucket", f"{bucket}, versioned")
        )

    return _asked("state bucket", fix, look)


def key(google: Google, plan: Plan, *, made: bool) -> Check:
    """Whether the stack's secrets can be encrypted."""
    from google.api_core.exceptions import NotFound

    from atwork.environments.bootstrap.keys import unusable

    short, fix = plan.key.rpartition("/")[2], f"atwork environment bootstrap {plan.name}"

    def look() -> Check:
        try:
            there = google.keys.get_crypto_key(name=plan.key)
        except NotFound:
            return Check("KMS key", False if made else None, f"{short} is not there yet; bootstrap makes it", fix)
        why, _, mend = unusable(there).partition("; ")
        return wrong("KMS key", f"{short} {why}", mend) if why else right("KMS key", f"{short} is usable")

    return _asked("KMS key", fix, look)


def machines(google: Google, config: StackConfig, project: str, *, own: bool) -> Iterator[Check]:
    """Whether the machines are offered where the nodes are to be, and the quota holds all of them."""
    if not project:
        words = "not checked: the project is not there yet, and no other was named to ask in its place"
        yield from (Check(one, None, words) for one in NAMES[4:])
        return
    region: dict[str, Any] = {}
    cpus: dict[str, int] = {}
    fix = f"ask for roles/compute.viewer on {project}"

    def offered() -> Check:
        region.update(google.call("GET", f"{COMPUTE}/{project}/regions/{config.region}"))
        all_zones = [str(one).rpartition("/")[2] for one in region.get("zones", [])]
        zones = [config.cluster.zone] if config.cluster.zone else all_zones
        missing = []
        for kind in sorted({pool.machine_type for pool in config.node_pools.values()}):
            there = {zone: _cpus(google, project, zone, kind) for zone in zones}
            having = [count for count in there.values() if count]
            cpus[kind] = max(having, default=0)
            if len(having) < min(3, len(zones)):  # a regional cluster has nodes in three zones
                missing.append(f"{kind} is in {len(having)} of {', '.join(zones)}")
        words = "; ".join(missing) or f"{', '.join(sorted(cpus))} in {', '.join(zones)}"
        return Check(
            "machine types", not missing, words, "choose another machine_type, zone or region" if missing else ""
        )

    yield _asked("machine types", fix, offered)
    if region:
        yield _asked("CPU quota", fix, lambda: _quota(config, region, cpus, project, own=own))
    else:
        yield Check("CPU quota", None, "not checked: the region is not known")


def _cpus(google: Google, project: str, zone: str, kind: str) -> int:
    from google.api_core.exceptions import NotFound

    try:
        return int(google.call("GET", f"{COMPUTE}/{project}/zones/{zone}/machineTypes/{kind}")["guestCpus"])
    except NotFound:
        return 0


def needed_cpus(config: StackConfig, cpus: dict[str, int], metrics: set[str]) -> dict[str, int]:
    """The most vCPUs of all pools, by the quota that they count in: that of their family where there is one."""
    found: dict[str, int] = {}
    for pool in config.node_pools.values():
        own = f"{pool.machine_type.partition('-')[0].upper()}_CPUS"
        metric = own if own in metrics else "CPUS"
        found[metric] = found.get(metric, 0) + pool.max_nodes * cpus.get(pool.machine_type, 0)
    limits = config.cluster.autoprovisioning
    if limits is not None:  # the most of the whole cluster, the pools included
        found["CPUS"] = max(found.get("CPUS", 0), limits.max_cpu)
    return found


def _quota(config: StackConfig, region: dict[str, Any], cpus: dict[str, int], project: str, *, own: bool) -> Check:
    quotas = {str(one["metric"]): one for one in region.get("quotas", [])}
    words, short = [], []
    for metric, need in needed_cpus(config, cpus, set(quotas)).items():
        quota = quotas.get(metric, {"limit": 0, "usage": 0})
        free = int(quota["limit"] - (quota["usage"] if own else 0))
        words.append(f"{metric} {config.region}: need {need}, {'free' if own else 'limit'} {free}")
        if need > free:
            short.append(metric)
    detail = ", ".join(words) + ("" if own else f", as in {project}; a new project may start with less")
    url = f"https://console.cloud.google.com/iam-admin/quotas?project={project}"
    return Check(
        "CPU quota", not short, detail, f"fewer max_nodes, another region, or ask for more: {url}" if short else ""
    )
