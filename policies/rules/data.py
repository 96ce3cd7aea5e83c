"""Rules on what holds data: databases, secrets, keys, and the guards on all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.database_flags import logs_connections
from policies.rule import UNKNOWN, Environment, Resource, on, over_all

_SQL = "gcp:sql/databaseInstance:DatabaseInstance"
_CLUSTER = "gcp:container/cluster:Cluster"
_GUARDED = (
    _SQL,
    _CLUSTER,
    "gcp:artifactregistry/repository:Repository",
    "gcp:compute/address:Address",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:secretmanager/secret:Secret",
)
"""What holds data, or what somebody outside the environment relies on."""


@on("database-private", _SQL, source="CIS GCP 6.5, 6.6")
def private(one: Resource, _: Environment) -> Iterator[str]:
    """No database has a public address."""
    yield from one.must("settings.ipConfiguration.ipv4Enabled", be=False, hint=", and said: left out it is true")


@on("database-encrypted-connections", _SQL, source="CIS GCP 6.4")
def encrypted_connections(one: Resource, _: Environment) -> Iterator[str]:
    """Every connection is encrypted and comes through a connector."""
    yield from one.must(
        "settings.ipConfiguration.sslMode", be=("TRUSTED_CLIENT_CERTIFICATE_REQUIRED", "ENCRYPTED_ONLY")
    )
    yield from one.must("settings.connectorEnforcement", be="REQUIRED")


@on("database-backups", _SQL, source="CIS GCP 6.7")
def backups(one: Resource, _: Environment) -> Iterator[str]:
    """Databases are backed up and can go back to any moment."""
    if not one.lacks("masterInstanceName"):
        return
    for key in ("enabled", "pointInTimeRecoveryEnabled"):
        yield from one.must(f"settings.backupConfiguration.{key}", be=True)


@on("database-audited", _SQL, source="CIS GCP 6.2")
def audited(one: Resource, _: Environment) -> Iterator[str]:
    """Logins by IAM, and a log of who connected and changed the schema."""
    flags = one.get("settings.databaseFlags", ())
    version = one.get("databaseVersion", "")
    if flags is UNKNOWN or version is UNKNOWN or not version.startswith("POSTGRES"):
        return
    values = {flag.get("name"): flag.get("value") for flag in flags if flag is not UNKNOWN}
    unnamed = UNKNOWN in flags or UNKNOWN in values  # any flag may be among these
    missing = UNKNOWN if unnamed else ""
    for name in ("cloudsql.iam_authentication", "cloudsql.enable_pgaudit", "log_disconnections"):
        if values.get(name, missing) not in ("on", UNKNOWN):
            yield f"settings.databaseFlags: {name} must be on"
    connections = values.get("log_connections", missing)
    if connections is not UNKNOWN and not logs_connections(str(connections)):
        yield "settings.databaseFlags: log_connections must be on"


@on("database-no-passwords", "gcp:sql/user:User", source="CIS GCP 6.9; design: logins by IAM")
def no_passwords(one: Resource, _: Environment) -> Iterator[str]:
    """Users log in by IAM; a password would rest in the state."""
    if one.get("type") not in (UNKNOWN, "CLOUD_IAM_USER", "CLOUD_IAM_SERVICE_ACCOUNT", "CLOUD_IAM_GROUP"):
        yield "type must be one of CLOUD_IAM_*"
    for key in ("password", "passwordWo"):
        if one.sets(key):
            yield f"{key} must not be set"


@on("deletion-guards", *_GUARDED, source="design: production is never destroyed by accident, a popup always can be")
def deletion_guards(one: Resource, here: Environment) -> Iterator[str]:
    """What holds data is guarded where it lasts, and free where it is to go."""
    if here.kind == "popup":
        if one.protect or one.get("deletionProtection") is True or one.get("deletionPolicy") == "PREVENT":
            yield "a popup has no deletion guards; its end would fail"
    elif not one.protect:
        yield (
            "must be protected: set deletion_protection to true; before a decommission, exempt deletion-guards for the "
            "resources in question"
        )


@over_all("backup-of-clusters", _CLUSTER, "gcp:gkebackup/backupPlan:BackupPlan", source="Backup for GKE documentation")
def clusters_backed_up(all_of_them: Sequence[Resource], _: Environment) -> Iterator[tuple[Resource, str]]:
    """What is inside a cluster is backed up."""
    plans = [one for one in all_of_them if one.type == "gcp:gkebackup/backupPlan:BackupPlan"]
    for one in all_of_them:
        if one.type == _CLUSTER and not plans:
            yield one, "there is no gkebackup.BackupPlan; add cluster_backup to the stack file"


@on("no-secret-values", "gcp:secretmanager/secretVersion:SecretVersion", source="design: docs/secrets.md")
def no_secret_values(one: Resource, _: Environment) -> Iterator[str]:
    """Values of secrets are added from outside, for the state keeps what passes through the program."""
    yield f"{one.name}: add the version with `gcloud secrets versions add` instead"


@on("no-plain-secrets", "kubernetes:core/v1:Secret", source="design: docs/secrets.md")
def no_plain_secrets(one: Resource, _: Environment) -> Iterator[str]:
    """Kubernetes Secrets of the program carry no values."""
    for key in ("data", "stringData"):
        if one.sets(key):
            yield f"{key} must be empty; pods read Secret Manager instead"


@on("key-rotation", "gcp:kms/cryptoKey:CryptoKey", source="CIS GCP 1.10; checkov CKV_GCP_43")
def key_rotation(one: Resource, _: Environment) -> Iterator[str]:
    """Keys get a new version every 90 days at most."""
    period = one.get("rotationPeriod", "")
    if period is not UNKNOWN and (not period or float(str(period).removesuffix("s")) > 90 * 86400):
        yield "rotationPeriod must be 7776000s or less"
