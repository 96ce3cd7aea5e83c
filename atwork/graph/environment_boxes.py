"""The boxes of an environment outside its cluster, such as databases, Redis, NAT, registry, secrets and keys."""

from __future__ import annotations

from collections import Counter

from atwork.graph import inventory as types
from atwork.graph.boxes import box, enumerated, plural
from atwork.graph.inventory import Inventory, settings_key
from atwork.graph.model import Box
from atwork.graph.resources import StackResource

_ACCOUNT = "gcp:serviceaccount/account:Account"
_OF_PROJECTS = ("gcp:projects/", "gcp:organizations/", "gcp:folder/", "gcp:logging/")
_AUDIT_CONFIG = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
_SECONDS_PER_DAY = 86400
_RECOVERY = ("pointInTimeRecoveryEnabled", "binaryLogEnabled")
"""Logs of PostgreSQL and of MySQL."""


def database(stack: Inventory, resource: StackResource) -> Box:
    """A Cloud SQL instance: version, size, availability and backups."""
    backup = "settings.backupConfiguration"
    days = resource.text(f"{backup}.transactionLogRetentionDays")
    version = resource.text("databaseVersion").replace("_", " ").title()
    retained = resource.text(f"{backup}.backupRetentionSettings.retainedBackups")
    availability = {"REGIONAL": "standby in another zone", "ZONAL": "one zone"}
    databases = [
        item.text("name") or item.name
        for item in stack.of(types.DATABASE)
        if item.parent == resource.parent or item.text("instance") in (resource.name, resource.text("name"))
    ]
    recovery = f"PITR {plural(int(days), 'day')}" if days.isdigit() else "PITR"
    facts = (
        version.replace("sql", "SQL").replace("Postgres ", "PostgreSQL ").replace("MySQL 8 ", "MySQL 8."),
        "read replica" if resource.value("masterInstanceName") is not None else "",
        resource.text("settings.tier"),
        availability.get(resource.text("settings.availabilityType"), ""),
        recovery if any(resource.is_on(f"{backup}.{key}") for key in _RECOVERY) else "",
        f"{retained} backups" if retained else "",
        "private" if resource.value("settings.ipConfiguration.ipv4Enabled") is False else "",
        f"databases: {enumerated(databases)}" if databases else "",
    )
    title, guarded = f"Cloud SQL {settings_key(resource)}", resource.is_on("deletionProtection")
    return box(stack.stack, "database", resource.name, resource, title=title, facts=facts, guarded=guarded)


def redis(stack: Inventory, resource: StackResource) -> Box:
    """A Memorystore for Valkey instance: version, size and replicas."""
    version = resource.text("engineVersion").removeprefix("VALKEY_").replace("_", ".")
    replicas = resource.text("replicaCount")
    count = int(float(replicas)) if replicas else 0
    facts = (
        f"Valkey {version}" if version else "",
        resource.text("nodeType").lower().replace("_", "-"),
        (plural(count, "replica") if count else "no replica") if resource.inputs else "",
        "TLS" if resource.text("transitEncryptionMode") == "SERVER_AUTHENTICATION" else "",
        "IAM" if resource.text("authorizationMode") == "IAM_AUTH" else "",
    )
    title, guarded = f"Redis {settings_key(resource)}", resource.is_on("deletionProtectionEnabled")
    return box(stack.stack, "redis", resource.name, resource, title=title, facts=facts, guarded=guarded)


def nat(stack: Inventory, resource: StackResource) -> Box:
    """Cloud NAT, with static addresses or with addresses that Google assigns."""
    addresses = [address for address in stack.of(types.ADDRESS) if not _is_internal(address)]
    fact = plural(len(addresses), "static address", "static addresses") if addresses else "addresses of Google's choice"
    facts = (fact if resource.inputs else "",)
    return box(stack.stack, "nat", resource.name, resource, *addresses, title="Cloud NAT", facts=facts)


def registry(stack: Inventory) -> list[Box]:
    """Artifact Registry with its repositories."""
    resources = stack.of(types.REPOSITORY)
    if not resources:
        return []
    locations = {resource.text("location") for resource in resources} - {""}
    hosts = sorted(f"{location}-docker.pkg.dev/{stack.project}" for location in locations)
    rows = [
        (box(stack.stack, "repository", item.name, item, title=settings_key(item), facts=(_repository_fact(item),)),)
        for item in resources
    ]
    return [box(stack.stack, "registry", "", title="Artifact Registry", facts=hosts, rows=rows)]


def _repository_fact(repository: StackResource) -> str:
    if repository.text("mode") == "REMOTE_REPOSITORY":
        return "mirror"
    if repository.is_on("dockerConfig.immutableTags"):
        return "immutable tags"
    ages = (policy.text("condition.olderThan") for policy in repository.items("cleanupPolicies"))
    seconds = next(ages, "").removesuffix("s")
    return f"kept {plural(int(seconds) // _SECONDS_PER_DAY, 'day')}" if seconds.isdigit() else ""


def outside_network(stack: Inventory) -> list[Box]:
    """What an environment has outside its network: secrets, keys, backups, and the project itself."""
    boxes: list[Box] = []
    if secrets := stack.of(types.SECRET):
        names = [secret.text("secretId") or secret.name for secret in secrets]
        facts = (plural(len(names), "secret"), enumerated(names))
        boxes.append(box(stack.stack, "secrets", "", *secrets, title="Secret Manager", facts=facts))
    if keys := stack.of(types.KEY):
        names = sorted({key.text("name") or key.name for key in keys})
        boxes.append(box(stack.stack, "keys", "", *keys, title="KMS keys", facts=(enumerated(names, 6),)))
    boxes += [_backup(stack, plan) for plan in stack.of(types.BACKUP)]
    boxes += [*_gateway(stack), *_alerts(stack), _project(stack)]
    return boxes


def _gateway(stack: Inventory) -> list[Box]:
    """The load balancer: its hosts, its certificate, and what is in front of them."""
    certificates = stack.of(types.CERTIFICATE)
    if not certificates:
        return []
    # The network has an address and zones of its own, for Google's APIs.
    private = {zone.parent for zone in stack.of(types.ZONE) if zone.text("visibility") == "private"}
    shared = stack.of(types.GLOBAL_ADDRESS, types.ZONE, types.RECORD)
    inside = [address for address in stack.of(types.ADDRESS) if _is_internal(address)]
    parts = [
        *(resource for resource in shared if resource.parent not in private),
        *inside,
        *stack.of(types.FIREWALL, *types.TLS, *types.CERTIFICATE_PARTS),
    ]
    hosts = sorted(item.text("name").rstrip(".") for item in parts if item.text("type") == "A")
    covered = [name for item in certificates for name in _strings(item, "managed.domains")]
    facts = (
        f"hosts: {enumerated(hosts)}" if hosts else "",
        f"certificate of {enumerated(covered)}" if covered else "",
        "Cloud Armor" if stack.of(types.FIREWALL) else "",
    )
    title = "Internal load balancer" if inside else "Load balancer"
    return [box(stack.stack, "gateway", "", *parts, title=title, facts=facts)]


def _is_internal(address: StackResource) -> bool:
    return address.text("addressType") == "INTERNAL"


def _strings(resource: StackResource, path: str) -> list[str]:
    values = resource.value(path)
    return [str(value) for value in values] if isinstance(values, list) else []


def _alerts(stack: Inventory) -> list[Box]:
    """Alerts, whom they reach, and the budget, which reaches the same."""
    alerts, channels, budgets = stack.of(types.ALERT), stack.of(types.CHANNEL), stack.of(types.BUDGET)
    if not alerts:
        return []
    reached = sorted({channel.text("type") or "unknown" for channel in channels})
    amounts = [budget.text("amount.specifiedAmount.units") for budget in budgets]
    facts = (
        plural(len(alerts), "alert"),
        f"channels: {enumerated(reached)}" if reached else "",
        f"budget: {enumerated(amounts)} a month" if amounts else "",
    )
    return [box(stack.stack, "alerts", "", *alerts, *channels, *budgets, title="Alerts", facts=facts)]


def _backup(stack: Inventory, plan: StackResource) -> Box:
    minutes = plan.text("backupSchedule.rpoConfig.targetRpoMinutes")
    days = plan.text("retentionPolicy.backupRetainDays")
    facts = (
        "of the cluster",
        f"in {plan.text('location')}" if plan.text("location") else "",
        f"each {int(minutes) // 60} h" if minutes.isdigit() else "",
        f"kept {plural(int(days), 'day')}" if days.isdigit() else "",
    )
    return box(stack.stack, "backup", plan.name, plan, title="Backups", facts=facts)


def _project(stack: Inventory) -> Box:
    resources = [
        resource
        for resource in stack.resources
        if resource.type.startswith(_OF_PROJECTS) and resource.type not in (types.PROJECT_MEMBER, types.CUSTOM_ROLE)
    ]
    providers = [resource for resource in stack.resources if resource.type == f"{types.PROVIDERS}gcp"]
    count = Counter(resource.type for resource in stack.resources)
    facts = (
        plural(count[types.API], "API") if count[types.API] else "",
        plural(count[_ACCOUNT], "account") if count[_ACCOUNT] else "",
        f"audit logs of {plural(count[_AUDIT_CONFIG], 'service')}" if count[_AUDIT_CONFIG] else "",
    )
    return box(stack.stack, "project", "", *resources, *providers, title="Project", facts=facts)
