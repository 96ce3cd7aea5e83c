"""Rules for resources with data: databases, secrets, keys, and the deletion protection of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.database_administrator import ACCOUNT
from components.database_flags import logs_connections
from components.postgres_rights import ADMINISTRATOR_ROLE
from components.type_tokens import (
    CLUSTER,
    CRYPTO_KEY,
    DATABASE_INSTANCE,
    DATABASE_USER,
    KUBERNETES_SECRET,
    REDIS_INSTANCE,
    REPOSITORY,
    SECRET,
    SECRET_VERSION,
)
from policies.rule import UNKNOWN, CheckedResource, StackContext, resource_rule, stack_rule

_BACKUP_PLAN = "gcp:gkebackup/backupPlan:BackupPlan"
_PROTECTED = (
    DATABASE_INSTANCE,
    REDIS_INSTANCE,
    CLUSTER,
    REPOSITORY,
    "gcp:compute/address:Address",
    CRYPTO_KEY,
    SECRET,
)
"""Types with data, or that somebody outside the environment relies on."""
_MAX_ROTATION_SECONDS = 90 * 86400
_POSTGRES_FLAGS = {"cloudsql.iam_authentication": "on", "cloudsql.enable_pgaudit": "on", "log_disconnections": "on"}
_MYSQL_FLAGS = {"cloudsql_iam_authentication": "on", "local_infile": "off", "skip_show_database": "on"}


@resource_rule("database-private", DATABASE_INSTANCE, source="CIS GCP 6.5, 6.6")
def private(instance: CheckedResource, _: StackContext) -> Iterator[str]:
    """Databases have no public address."""
    yield from instance.must("settings.ipConfiguration.ipv4Enabled", be=False, hint="; the default is true")


@resource_rule("database-encrypted-connections", DATABASE_INSTANCE, source="CIS GCP 6.4")
def encrypted_connections(instance: CheckedResource, _: StackContext) -> Iterator[str]:
    """Every connection is encrypted and uses a connector; with replicas, it needs a client certificate instead."""
    # An instance with Private Service Connect has either replicas or connector enforcement.
    if instance.sets("masterInstanceName") or instance.sets("includeReplicasForMajorVersionUpgrade"):
        yield from instance.must("settings.ipConfiguration.sslMode", be="TRUSTED_CLIENT_CERTIFICATE_REQUIRED")
        return
    yield from instance.must(
        "settings.ipConfiguration.sslMode", be=("TRUSTED_CLIENT_CERTIFICATE_REQUIRED", "ENCRYPTED_ONLY")
    )
    yield from instance.must("settings.connectorEnforcement", be="REQUIRED")


@resource_rule("database-backups", DATABASE_INSTANCE, source="CIS GCP 6.7")
def backups(instance: CheckedResource, _: StackContext) -> Iterator[str]:
    """Databases have backups and point-in-time recovery."""
    if not instance.lacks("masterInstanceName"):
        return
    version = instance.get("databaseVersion", "")
    if version is UNKNOWN:
        return
    logs = "binaryLogEnabled" if version.startswith("MYSQL") else "pointInTimeRecoveryEnabled"
    for key in ("enabled", logs):
        yield from instance.must(f"settings.backupConfiguration.{key}", be=True)


@resource_rule("database-audited", DATABASE_INSTANCE, source="CIS GCP 6.1, 6.2")
def audited(instance: CheckedResource, _: StackContext) -> Iterator[str]:
    """Users log in through IAM; PostgreSQL logs connections and schema changes, MySQL reads no local files."""
    flags = instance.get("settings.databaseFlags", ())
    version = instance.get("databaseVersion", "")
    if flags is UNKNOWN or version is UNKNOWN or not version.startswith(("POSTGRES", "MYSQL")):
        return
    values = {flag.get("name"): flag.get("value") for flag in flags if flag is not UNKNOWN}
    incomplete = UNKNOWN in flags or UNKNOWN in values  # an unknown flag may be any flag
    missing = UNKNOWN if incomplete else ""
    needed = _MYSQL_FLAGS if version.startswith("MYSQL") else _POSTGRES_FLAGS
    for name, value in needed.items():
        if values.get(name, missing) not in (value, UNKNOWN):
            yield f"settings.databaseFlags: {name} must be {value}"
    if version.startswith("MYSQL"):
        return
    connections = values.get("log_connections", missing)
    if connections is not UNKNOWN and not logs_connections(str(connections)):
        yield "settings.databaseFlags: log_connections must be on"


@resource_rule("database-no-passwords", DATABASE_USER, source="CIS GCP 6.9; design: logins through IAM")
def no_passwords(user: CheckedResource, _: StackContext) -> Iterator[str]:
    """Users log in through IAM; a password would be stored in the state."""
    if user.get("type") not in (UNKNOWN, "CLOUD_IAM_USER", "CLOUD_IAM_SERVICE_ACCOUNT", "CLOUD_IAM_GROUP"):
        yield "type must be CLOUD_IAM_USER, CLOUD_IAM_SERVICE_ACCOUNT or CLOUD_IAM_GROUP"
    for key in ("password", "passwordWo"):
        if user.sets(key):
            yield f"{key} must not be set"


@resource_rule(
    "redis-encrypted-and-authorized",
    REDIS_INSTANCE,
    source="docs/adr/0035-redis.md; https://docs.cloud.google.com/memorystore/docs/valkey/about-iam-auth",
)
def redis_encrypted_and_authorized(instance: CheckedResource, _: StackContext) -> Iterator[str]:
    """Redis takes connections with TLS and with logins by IAM only."""
    yield from instance.must("transitEncryptionMode", be="SERVER_AUTHENTICATION", hint="; the default is no encryption")
    yield from instance.must("authorizationMode", be="IAM_AUTH", hint="; the default lets everybody in")


@resource_rule("redis-valkey", "gcp:redis/*", "gcp:memcache/*", source="docs/adr/0035-redis.md")
def redis_is_valkey(resource: CheckedResource, _: StackContext) -> Iterator[str]:
    """Redis is Memorystore for Valkey, where no client has a password."""
    yield f"{resource.name}: use components/redis.py; this service has passwords or no logins at all"


@resource_rule("database-administrator", DATABASE_USER, source="docs/adr/0031-database-rights.md")
def only_administrator(user: CheckedResource, _: StackContext) -> Iterator[str]:
    """Only the account of the namespace database-rights administers databases."""
    roles, name = user.get("databaseRoles", ()), user.get("name", UNKNOWN)
    if roles is UNKNOWN or name is UNKNOWN or str(name).startswith(f"{ACCOUNT}@"):
        return
    if ADMINISTRATOR_ROLE in roles:
        yield f"databaseRoles must not contain {ADMINISTRATOR_ROLE}: {name} could read and change every database"


@resource_rule(
    "deletion-guards",
    *_PROTECTED,
    source="design: production cannot be destroyed by accident, an ephemeral environment always can",
)
def deletion_guards(resource: CheckedResource, context: StackContext) -> Iterator[str]:
    """Resources with data are protected in long-lived environments and unprotected in ephemeral ones; copies never."""
    if resource.sets("masterInstanceName"):
        return
    if context.kind == "ephemeral":
        if (
            resource.protect
            or resource.get("deletionProtection") is True
            or resource.get("deletionProtectionEnabled") is True
            or resource.get("deletionPolicy") == "PREVENT"
        ):
            yield "must not be protected in an ephemeral environment, which could not be destroyed"
    elif not resource.protect:
        yield (
            "must be protected; set deletion_protection to true, or exempt the resource from deletion-guards before "
            "you decommission it"
        )


@stack_rule("backup-of-clusters", CLUSTER, _BACKUP_PLAN, source="Backup for GKE documentation")
def clusters_backed_up(resources: Sequence[CheckedResource], _: StackContext) -> Iterator[tuple[CheckedResource, str]]:
    """Every cluster has a backup plan."""
    if not any(resource.type == _BACKUP_PLAN for resource in resources):
        for resource in resources:
            yield resource, "cluster has no gkebackup.BackupPlan; add cluster_backup to the stack file"


@resource_rule("no-secret-values", SECRET_VERSION, source="design: docs/secrets.md")
def no_secret_values(version: CheckedResource, _: StackContext) -> Iterator[str]:
    """The program sets no values of secrets, because the state would store them."""
    yield f"{version.name}: add the version with `gcloud secrets versions add` instead"


@resource_rule("no-plain-secrets", KUBERNETES_SECRET, source="design: docs/secrets.md")
def no_plain_secrets(secret: CheckedResource, _: StackContext) -> Iterator[str]:
    """Kubernetes Secrets of the program have no values."""
    for key in ("data", "stringData"):
        if secret.sets(key):
            yield f"{key} must be empty; let pods read Secret Manager instead"


@resource_rule("key-rotation", CRYPTO_KEY, source="CIS GCP 1.10; checkov CKV_GCP_43")
def key_rotation(key: CheckedResource, _: StackContext) -> Iterator[str]:
    """Keys are rotated at least every 90 days."""
    period = key.get("rotationPeriod", "")
    if period is not UNKNOWN and (not period or float(str(period).removesuffix("s")) > _MAX_ROTATION_SECONDS):
        yield f"rotationPeriod must be {_MAX_ROTATION_SECONDS}s or less"
