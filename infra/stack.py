"""What a stack file may say: all parts of an environment, and the rules between them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from components import (
    attestor,
    binary_authorization,
    cluster_backup,
    encryption,
    registry,
    release_signing,
    repositories,
    secrets,
)
from components.audit_logs import AuditLogSettings
from components.binary_authorization import BinaryAuthorizationSettings
from components.cluster_backup import ClusterBackupSettings
from components.cluster_settings import ClusterSettings
from components.database_login import login_account_id
from components.database_settings import DatabaseSettings
from components.encryption import EncryptionSettings
from components.expected_secrets import ExpectedSecret
from components.forms import TextForm
from components.gateway import gateway, iap_client
from components.gateway.names import preview_domain
from components.gateway.settings import GatewaySettings, IapClientSettings
from components.log_storage import LogStorageSettings
from components.monitoring import budget, channels
from components.monitoring.settings import MonitoringSettings
from components.network_settings import NetworkSettings
from components.node_account import STREAMING_SERVICES
from components.node_pool import NodePoolSettings, PoolName
from components.node_pools import pool_conflicts
from components.preview_namespaces import PreviewNamespaceSettings
from components.project import ProjectSettings
from components.redis import RedisSettings, physical_name
from components.release_signing import ReleaseSigningSettings
from components.repositories import RegistrySettings
from components.secrets import SecretStoreSettings
from components.settings import DnsLabel, Region
from components.tenant import TenantSettings
from infra import stack_rules
from infra.delivery.settings import DeliverySettings
from infra.environment_settings import EnvironmentSettings
from infra.exemptions import PolicySettings

InstanceName = Annotated[
    str,
    TextForm(
        r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$",
        "a name of at most 20 lower-case letters, digits and hyphens, a letter first",
        "main",
    ),
]
"""Key of a Cloud SQL instance."""


class StackConfig(DeliverySettings):
    """All that a stack file says. A part that is left out is not made."""

    environment: EnvironmentSettings
    """Kind, tier and owner."""

    region: Region
    """Region of everything that is not multi-regional."""

    project: ProjectSettings
    """The Google Cloud project."""

    network: NetworkSettings
    """The VPC."""

    cluster: ClusterSettings = ClusterSettings()
    """The GKE cluster."""

    node_pools: Annotated[dict[PoolName, NodePoolSettings], Field(min_length=1)]
    """The cluster's node pools, by name."""

    gateway: GatewaySettings | None = None
    """The way in for people: the domain, its certificate, the firewall."""

    databases: dict[InstanceName, DatabaseSettings] = Field(default_factory=dict)
    """Cloud SQL instances, by name."""

    tenants: dict[DnsLabel, TenantSettings] = Field(default_factory=dict)
    """Teams' namespaces, by name."""

    secrets: SecretStoreSettings = SecretStoreSettings()
    """How the tenants' secrets are kept."""

    encryption: EncryptionSettings = EncryptionSettings()
    """Keys of our own."""

    binary_authorization: BinaryAuthorizationSettings = BinaryAuthorizationSettings()
    """Which images may run."""

    audit_logs: AuditLogSettings = AuditLogSettings()
    """Whose accesses are logged."""

    logs: LogStorageSettings = LogStorageSettings()
    """How long logs are kept."""

    cluster_backup: ClusterBackupSettings | None = None
    """Backups of what is inside the cluster."""

    registry: RegistrySettings | None = None
    """The container registry, in the one environment that has it."""

    release_signing: ReleaseSigningSettings | None = None
    """Signatures of released images, in the environment that has Jenkins."""

    policies: PolicySettings = PolicySettings()
    """How strictly policies are taken, and what is exempt from them."""

    preview_namespaces: PreviewNamespaceSettings | None = None
    """Namespaces in which builds of pull requests run for a while."""

    monitoring: MonitoringSettings | None = None
    """Alerts, and whom they reach."""

    upstream: DnsLabel | None = None
    """The stack whose registry this one pulls from and whose deployer it lets in."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.cluster.zone is not None and not self.cluster.zone.startswith(f"{self.region}-"):
            raise ValueError(f"cluster.zone {self.cluster.zone} is not in region {self.region}; choose one that is")
        if self.delivery_key is not None and self.registry is None:
            raise ValueError(f"{self.delivery_key} needs registry in the same stack, to which builds push; add it")
        if mistake := self.delivery_mistake():
            raise ValueError(mistake)
        if self.upstream is not None and self.registry is not None:
            raise ValueError(
                "upstream and registry exclude each other, one registry serves all environments; remove one of them"
            )
        users = [user for database in self.databases.values() for user in database.users]
        twice = sorted({user for user in users if users.count(user) > 1})
        if twice:
            raise ValueError(f"databases: user {', '.join(twice)} is in two instances; names are unique in a project")
        for conflict in pool_conflicts(self.node_pools, encrypted=self.cluster.encrypt_between_nodes):
            raise ValueError(conflict)
        stack_rules.check(self)
        return self

    @property
    def attested(self) -> bool:
        """Whether Binary Authorization looks for attestations."""
        return self.binary_authorization.attestation != "off"

    @property
    def subnetwork_id(self) -> str | None:
        """Resource name of the existing subnet; None where the environment creates its own."""
        existing = self.network.existing
        return None if existing is None else existing.subnetwork_id(self.project.id, self.region)

    @property
    def preview_domain(self) -> str | None:
        """Domain of the hosts of preview namespaces; None where they have no hosts.

        Nobody has reviewed what runs there: it is behind the Identity-Aware Proxy, or nobody reaches it.
        """
        if self.preview_namespaces is None or self.gateway is None or self.gateway.iap is None:
            return None
        return preview_domain(self.gateway.domain)

    @property
    def iap_client(self) -> IapClientSettings | None:
        """The OAuth client of the Identity-Aware Proxy; None where Google manages it, and without the proxy."""
        return None if self.gateway is None else self.gateway.iap_client

    @property
    def jenkins_behind_proxy(self) -> bool:
        """Whether people reach Jenkins through the Identity-Aware Proxy of this stack."""
        gateway = None if self.jenkins is None else self.jenkins.gateway
        return gateway is not None and gateway.own and not gateway.internal

    def services(self) -> set[str]:
        """APIs that the chosen parts call, in addition to those of every environment."""
        # Reminders of secrets are possible without a change here: a service's file alone asks for them.
        names = {*binary_authorization.SERVICES, *secrets.ROTATION_SERVICES}
        if self.cluster.image_streaming:
            names |= {*STREAMING_SERVICES}
        if self.encryption.covers:
            names |= {*encryption.SERVICES}
        if self.registry is not None:
            names |= {*registry.SERVICES}
        if self.release_signing is not None:
            names |= {*release_signing.SERVICES}
        if self.cluster_backup is not None:
            names |= {*cluster_backup.SERVICES}
        if self.gateway is not None:
            names |= gateway.services(self.gateway)
        if self.monitoring is not None and self.monitoring.budget is not None:
            names |= {budget.SERVICE}
        return names

    def agents(self) -> set[str]:
        """Services whose agents act in this environment."""
        names = {encryption.AGENTS[purpose] for purpose in self.encrypted_places() if purpose in self.encryption.covers}
        if self.attested:
            names |= {attestor.AGENT}
        if self.monitoring is not None and self.monitoring.topics():
            names |= {channels.AGENT}
        return {*names, secrets.AGENT}

    def protected_keys(self) -> frozenset[encryption.Purpose]:
        """Purposes whose keys are guarded: all in a guarded environment, else those of data that has a guard."""
        if self.cluster.deletion_protection:
            return frozenset(encryption.AGENTS)
        names: set[encryption.Purpose] = set()
        if self.registry is not None and self.registry.deletion_protection:
            names.add("registry")
        if any(database.deletion_protection for database in self.databases.values()):
            names.add("databases")
        return frozenset(names)

    def encrypted_places(self) -> dict[encryption.Purpose, tuple[str, ...]]:
        """Where a key is needed for each purpose.

        Those of databases and secrets are there before the first one and stay after the last: a key is never deleted,
        and its guard would stop the update that removes the last service.
        """
        places: dict[encryption.Purpose, tuple[str, ...]] = {
            "cluster": (self.region,),
            "disks": (self.region,),
            "databases": tuple(
                dict.fromkeys(
                    [self.region, *(place for item in self.databases.values() for place in item.replica_regions())]
                )
            ),
            "secrets": self.secrets.places(),
        }
        if self.registry is not None:
            places["registry"] = repositories.locations(self.registry)
        if self.cluster_backup is not None:
            places["backups"] = (self.cluster_backup.location,)
        return places

    def expected_secrets(self) -> tuple[ExpectedSecret, ...]:
        """Secrets that must have a value before their readers start, those of the tenants among them."""
        return (
            self.delivery_secrets()
            + iap_client.expected(self.gateway)
            + tuple(
                ExpectedSecret(f"{tenant}-{key}", f"secret {key} of {tenant}", tenant, secret.readers)
                for tenant, settings in self.tenants.items()
                for key, secret in settings.secrets.items()
            )
        )

    def logins(self, tenant: str) -> dict[str, tuple[str, str]]:
        """Which database and user each service account of a tenant logs in to."""
        return {
            user.service_account: (database, key)
            for database, settings in self.databases.items()
            for key, user in settings.users.items()
            if user.namespace == tenant
        }

    def redis(self) -> dict[str, RedisSettings]:
        """The Redis instances, by tenant."""
        return {name: tenant.redis for name, tenant in self.tenants.items() if tenant.redis is not None}

    def redis_logins(self, tenant: str) -> dict[str, str]:
        """IDs of the Google accounts with which accounts of a tenant log in to its Redis, by account."""
        databases = self.logins(tenant)
        return {
            account: login_account_id(databases[account][1]) if account in databases else physical_name(tenant)
            for account in self.tenants[tenant].accounts
        }

    def groups(self) -> set[str]:
        """Every Google Group with rights inside the cluster."""
        names = {group for tenant in self.tenants.values() for group in tenant.groups}
        return names | set(self.preview_namespaces.groups if self.preview_namespaces is not None else ())

    def labels(self, name: str) -> dict[str, str]:
        """The labels of everything in the environment."""
        labels = {"environment": name, "owner": self.environment.owner, "managed-by": "atwork"}
        if self.environment.expires_at is not None:
            labels["expires-at"] = _label(self.environment.expires_at)
        return labels


def _label(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dt%H-%M-%S")
