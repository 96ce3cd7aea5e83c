"""A team's namespace: what runs there as whom, who may look and who may change, and whom it may talk to.

Owns: the namespace with all that makes it safe, its service accounts, the rights of groups and of the deployer in
it, its network policies.
Does not own: what runs there (the services' charts), secrets (components/secrets.py), database logins.

Traps:
- Groups work in RBAC only when they are members of the cluster's `admin_group` (Google Groups for RBAC).
- The built-in role `edit` starts pods as any account of the namespace: the border is the namespace, not the account.
- The Google account that deploys has no rights in the namespace; it acts as its account `deployer`.
- Cloud SQL is reached by connectors: port 3307 at an address of the nodes' range, after a word with the SQL API. Redis
  has addresses of the same range.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

import pulumi
import pulumi_kubernetes as kubernetes
from pydantic import Field, model_validator

from components import namespace_deployer, traffic
from components.gateway import hosts
from components.identity import acts_as
from components.namespace import Namespace, NamespaceSettings
from components.redis import PORT, RedisSettings
from components.secrets import SecretName, SecretSettings
from components.settings import DnsLabel, Email, Owner, Settings

CONNECTOR_PORT = 3307
"""Where Cloud SQL answers connectors. https://cloud.google.com/sql/docs/postgres/connect-overview"""

_RBAC = "rbac.authorization.k8s.io"


class TenantTrafficSettings(Settings):
    """Whom the namespace's pods talk to, in addition to each other, name resolution and Google's APIs."""

    gateway: bool = True
    """Whether Google's load balancers and their health checks come in."""

    from_namespaces: tuple[DnsLabel, ...] = ()
    """Namespaces whose pods come in."""

    databases: bool = True
    """Whether pods reach Cloud SQL."""

    internet_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """TCP ports at which pods reach the internet, such as 443; none by default."""


class TenantSettings(Settings):
    """A team's place in an environment."""

    owner: Owner
    """Team that answers for it."""

    size: NamespaceSettings = NamespaceSettings()
    """Pod Security level, quota and default limits."""

    deletion_protection: bool = True
    """Guard namespace and secrets, where the environment is guarded; false in a change before the tenant is removed."""

    accounts: Annotated[tuple[DnsLabel, ...], Field(min_length=1)]
    """Service accounts that pods run as, one for each service; the account `default` has no rights."""

    viewers: tuple[Email, ...] = ()
    """Google Groups that may look at everything but secrets."""

    editors: tuple[Email, ...] = ()
    """Google Groups that may change things; in production only the deployer should."""

    traffic: TenantTrafficSettings = TenantTrafficSettings()
    """Who talks to whom."""

    secrets: dict[SecretName, SecretSettings] = Field(default_factory=dict)
    """Secrets of the team's services, by name."""

    redis: RedisSettings | None = None
    """A Redis for the namespace; left out, it has none."""

    @model_validator(mode="after")
    def _deployer_is_reserved(self) -> Self:
        if namespace_deployer.DEPLOYER in self.accounts:
            raise ValueError(f"accounts: {namespace_deployer.DEPLOYER} is the account that installs charts; rename it")
        if "default" in self.accounts:
            raise ValueError("accounts: Kubernetes makes an account default in every namespace; rename it")
        return self

    @model_validator(mode="after")
    def _readers_are_accounts(self) -> Self:
        for name, secret in self.secrets.items():
            strangers = sorted(set(secret.readers) - set(self.accounts))
            if strangers:
                raise ValueError(
                    f"secrets.{name}.readers: {', '.join(strangers)} is not among accounts "
                    f"({', '.join(self.accounts)}); add it there or correct it"
                )
        return self

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group that has rights here."""
        return (*self.viewers, *self.editors)


class Tenant(pulumi.ComponentResource):
    """A namespace of a team, closed except for what its settings allow."""

    namespace_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: TenantSettings,
        *,
        physical_name: str,
        logins: Mapping[str, pulumi.Input[str]],
        deployer: pulumi.Input[str] | None,
        database_range: str,
        protect: bool,
        host: str | None = None,
        proxies: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:tenant:Tenant", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = Namespace(
            name,
            settings.size,
            physical_name=physical_name,
            labels={"owner": settings.owner, **(hosts.NAMESPACE_LABELS if host is not None else {})},
            annotations=None if host is None else hosts.namespace_annotations(host, physical_name),
            protect=protect,
            opts=child,
        )
        self.namespace_name = namespace.namespace_name
        for account in settings.accounts:
            kubernetes.core.v1.ServiceAccount(
                f"{name}-account-{account}",
                metadata={
                    "name": account,
                    "namespace": self.namespace_name,
                    "annotations": acts_as(logins.get(account)),
                },
                automount_service_account_token=False,
                opts=child,
            )
        bindings: dict[str, tuple[str, kubernetes.rbac.v1.SubjectArgsDict]] = {}
        for role, groups in {"view": settings.viewers, "edit": settings.editors}.items():
            for group in groups:
                subject: kubernetes.rbac.v1.SubjectArgsDict = {"kind": "Group", "name": group, "api_group": _RBAC}
                bindings[f"{role}-{group.partition('@')[0]}"] = (role, subject)
        if deployer is not None:
            inside = namespace_deployer.make(name, namespace=self.namespace_name, acting=deployer, opts=child)
            bindings["deployer"] = ("edit", inside)
        for key, (role, subject) in bindings.items():
            kubernetes.rbac.v1.RoleBinding(
                f"{name}-{key}",
                metadata={"name": key, "namespace": self.namespace_name},
                role_ref={"api_group": _RBAC, "kind": "ClusterRole", "name": role},
                subjects=[subject],
                opts=child,
            )
        allow(
            name,
            settings.traffic,
            database_range,
            redis=settings.redis is not None,
            proxies=proxies,
            namespace=self.namespace_name,
            opts=child,
        )
        self.register_outputs({"namespace_name": self.namespace_name})


def allow(
    name: str,
    settings: TenantTrafficSettings,
    database_range: str,
    *,
    redis: bool = False,
    proxies: str | None = None,
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Make the network policies of a namespace."""
    for key, spec in policies(settings, database_range, redis=redis, proxies=proxies).items():
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-{key}", metadata={"name": key, "namespace": namespace}, spec=spec, opts=opts
        )


def policies(
    settings: TenantTrafficSettings, database_range: str, *, redis: bool = False, proxies: str | None = None
) -> dict[str, kubernetes.networking.v1.NetworkPolicySpecArgsDict]:
    """What is allowed on top of the namespace's default denial, by policy name."""
    everyone: kubernetes.networking.v1.NetworkPolicyPeerArgsDict = {"pod_selector": {}}
    callers = [everyone, traffic.namespaces([*settings.from_namespaces, *traffic.COLLECTOR_NAMESPACES])]
    if settings.gateway:
        callers += traffic.load_balancers(proxies)
    called: list[kubernetes.networking.v1.NetworkPolicyEgressRuleArgsDict] = [
        {"to": [everyone]},
        {"to": traffic.addresses(traffic.GOOGLE_APIS), "ports": traffic.tcp(443)},
        *traffic.metadata_server(),
    ]
    if settings.databases:
        called.append({"to": traffic.addresses(database_range), "ports": traffic.tcp(CONNECTOR_PORT)})
    if redis:
        called.append({"to": traffic.addresses(database_range), "ports": traffic.tcp(PORT)})
    if settings.internet_ports:
        called.append(traffic.internet(settings.internet_ports))
    return {
        "allow-in": {"pod_selector": {}, "policy_types": ["Ingress"], "ingress": [{"from_": callers}]},
        "allow-out": {"pod_selector": {}, "policy_types": ["Egress"], "egress": called},
    }
