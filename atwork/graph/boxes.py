"""One box for each thing that an engineer would draw, with what they would write beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from atwork.graph import inventory as types
from atwork.graph.inventory import Inventory, namespace_of, short
from atwork.graph.model import Box, BoxKind
from atwork.graph.resources import Resource

_MOST = 4
"""Names that are listed one by one."""


def of(
    stack: str, kind: BoxKind, name: str, *resources: Resource, title: str = "", facts: Iterable[str] = (),
    rows: Sequence[tuple[Box, ...]] = (), guarded: bool = False,
) -> Box:  # fmt: skip
    """A box; its id says the stack, what it is, and its name."""
    return Box(
        id=identity(stack, kind, name), kind=kind, title=title or name,
        facts=tuple(fact for fact in facts if fact), urns=tuple(one.urn for one in resources),
        rows=tuple(row for row in rows if row), guarded=guarded,
    )  # fmt: skip


def identity(stack: str, kind: str, name: str) -> str:
    """The id of a box: `staging.database.database-main-instance`."""
    return ".".join(slug(part) for part in (stack, kind, name) if part)


def slug(text: str) -> str:
    """Text as a part of an id."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "unnamed"


def listed(names: Sequence[str], most: int = _MOST) -> str:
    """Names in a row; of many, the first and how many follow."""
    shown = list(names) if len(names) <= most + 1 else [*names[:most], f"{len(names) - most} more"]
    return ", ".join(shown)


def plural(count: int, one: str, many: str = "") -> str:
    """A number of things."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def pool(here: Inventory, one: Resource) -> Box:
    """A node pool: machine type, and from how many nodes to how many."""
    least = one.text("autoscaling.totalMinNodeCount") or one.text("autoscaling.minNodeCount")
    most = one.text("autoscaling.totalMaxNodeCount") or one.text("autoscaling.maxNodeCount")
    size = f"{least or 0}\u2013{most}" if most else one.text("nodeCount")
    machine = " \u00d7 ".join(part for part in (one.text("nodeConfig.machineType"), size) if part)
    facts = (
        machine,
        "spot" if one.on("nodeConfig.spot") else "",
        "blue/green" if one.text("upgradeSettings.strategy") == "BLUE_GREEN" else "",
    )
    return of(here.stack, "pool", one.name, one, title=short(one), facts=facts)


def on_demand(here: Inventory, cluster: Resource) -> list[Box]:
    """The nodes that the cluster adds by itself, where it may."""
    if not cluster.on("clusterAutoscaling.enabled"):
        return []
    limits = {
        limit.text("resourceType"): limit.text("maximum")
        for limit in cluster.listed("clusterAutoscaling.resourceLimits")
    }
    facts = (
        f"≤ {limits['cpu']} CPU" if limits.get("cpu") else "",
        f"{limits['memory']} GB" if limits.get("memory") else "",
    )
    return [of(here.stack, "pool", f"{cluster.name}-on-demand", title="on demand", facts=facts)]


def control(here: Inventory, cluster: Resource) -> Box:
    """The control plane: how it is reached."""
    endpoints = "controlPlaneEndpointsConfig"
    by_name = cluster.at(f"{endpoints}.dnsEndpointConfig.allowExternalTraffic") is not None
    by_address = cluster.at(f"{endpoints}.ipEndpointsConfig.enabled") is not False
    facts = ("DNS endpoint, IAM" if by_name else "", "no IP endpoint" if not by_address else "IP endpoint")
    roles = [one for one in here.of(types.CUSTOM_ROLE) if one.text("roleId") == types.CONNECT]
    members = [one for one in here.of(types.PROJECT_MEMBER) if one.text("role").endswith(types.CONNECT)]
    access = [one for one in here.resources if one.type == f"{types.PROVIDERS}kubernetes"]
    return of(
        here.stack, "control", cluster.name, *roles, *members, *access, title="Control plane",
        facts=facts if cluster.inputs else (),
    )  # fmt: skip


def namespace(here: Inventory, one: Resource) -> Box:
    """A namespace: whose it is, and how much runs there at most."""
    name = namespace_of(one)
    quota = next((found for found in here.of(types.QUOTA) if namespace_of(found) == name), None)
    hard = quota.at("spec.hard") if quota else None
    limits = Resource("", "", hard if isinstance(hard, dict) else {})
    cpu = limits.inputs.get("requests.cpu")
    facts = (one.text("metadata.labels.owner"), f"≤ {cpu} CPU" if cpu else "")
    return of(here.stack, "namespace", name, one, facts=facts)


def database(here: Inventory, one: Resource) -> Box:
    """A Cloud SQL instance: engine, size, what it survives."""
    kept, days = "settings.backupConfiguration", one.text("settings.backupConfiguration.transactionLogRetentionDays")
    version = (
        one.text("databaseVersion").replace("_", " ").title().replace("sql", "SQL").replace("Postgres ", "PostgreSQL ")
    )
    retained = one.text(f"{kept}.backupRetentionSettings.retainedBackups")
    available = {"REGIONAL": "standby in another zone", "ZONAL": "one zone"}
    inside = [
        found.text("name") or found.name
        for found in here.of(types.DATABASE)
        if found.parent == one.parent or found.text("instance") in (one.name, one.text("name"))
    ]
    private = one.at("settings.ipConfiguration.ipv4Enabled") is False
    facts = (
        version,
        one.text("settings.tier"),
        available.get(one.text("settings.availabilityType"), ""),
        (f"PITR {plural(int(days), 'day')}" if days.isdigit() else "PITR")
        if one.on(f"{kept}.pointInTimeRecoveryEnabled")
        else "",
        f"{retained} backups" if retained else "",
        "private" if private else "",
        f"databases: {listed(inside)}" if inside else "",
    )
    return of(
        here.stack, "database", one.name, one, title=f"Cloud SQL {short(one)}", facts=facts,
        guarded=one.on("deletionProtection"),
    )  # fmt: skip


def nat(here: Inventory, one: Resource) -> Box:
    """The way out: with addresses that partners know, or with any."""
    addresses = here.of(types.ADDRESS)
    fact = plural(len(addresses), "static address", "static addresses") if addresses else "addresses of Google's choice"
    return of(here.stack, "nat", one.name, one, *addresses, title="Cloud NAT", facts=(fact if one.inputs else "",))


def registry(here: Inventory) -> list[Box]:
    """Artifact Registry with its repositories."""
    found = here.of(types.REPOSITORY)
    if not found:
        return []
    hosts = sorted({f"{one.text('location')}-docker.pkg.dev/{here.project}" for one in found if one.text("location")})
    repositories = [
        of(here.stack, "repository", one.name, one, title=short(one), facts=(_repository(one),)) for one in found
    ]
    return [
        of(here.stack, "registry", "", title="Artifact Registry", facts=hosts, rows=[(one,) for one in repositories])
    ]


def _repository(one: Resource) -> str:
    if one.text("mode") == "REMOTE_REPOSITORY":
        return "mirror"
    days = next((policy.text("condition.olderThan") for policy in one.listed("cleanupPolicies")), "")
    if one.on("dockerConfig.immutableTags"):
        return "immutable tags"
    seconds = days.removesuffix("s")
    return f"kept {plural(int(seconds) // 86400, 'day')}" if seconds.isdigit() else ""


def around(here: Inventory) -> list[Box]:
    """What an environment has beside its network: secrets, keys, backups, and the project itself."""
    boxes: list[Box] = []
    if secrets := here.of(types.SECRET):
        names = [one.text("secretId") or one.name for one in secrets]
        boxes.append(
            of(here.stack, "secrets", "", *secrets, title="Secret Manager",
               facts=(plural(len(names), "secret"), listed(names))),
        )  # fmt: skip
    if keys := here.of(types.KEY):
        names = sorted({one.text("name") or one.name for one in keys})
        boxes.append(of(here.stack, "keys", "", *keys, title="KMS keys", facts=(listed(names, 6),)))
    boxes += [_backup(here, one) for one in here.of(types.BACKUP)]
    boxes.append(_project(here))
    return boxes


def _backup(here: Inventory, one: Resource) -> Box:
    minutes = one.text("backupSchedule.rpoConfig.targetRpoMinutes")
    days = one.text("retentionPolicy.backupRetainDays")
    facts = (
        "of the cluster",
        f"in {one.text('location')}" if one.text("location") else "",
        f"each {int(minutes) // 60} h" if minutes.isdigit() else "",
        f"kept {plural(int(days), 'day')}" if days.isdigit() else "",
    )
    return of(here.stack, "backup", one.name, one, title="Backups", facts=facts)


def _project(here: Inventory) -> Box:
    inside = [
        one
        for one in here.resources
        if one.type.startswith(("gcp:projects/", "gcp:organizations/", "gcp:folder/"))
        and one.type not in (types.PROJECT_MEMBER, types.CUSTOM_ROLE)
    ]
    providers = [one for one in here.resources if one.type == f"{types.PROVIDERS}gcp"]
    count = Counter(one.type for one in here.resources)
    audited = count["gcp:projects/iAMAuditConfig:IAMAuditConfig"]
    facts = (
        plural(count[types.API], "API") if count[types.API] else "",
        plural(count["gcp:serviceaccount/account:Account"], "account")
        if count["gcp:serviceaccount/account:Account"]
        else "",
        f"audit logs of {plural(audited, 'service')}" if audited else "",
    )
    return of(here.stack, "project", "", *inside, *providers, title="Project", facts=facts)
