"""A Redis of one namespace: a private instance of Memorystore for Valkey, with TLS and logins by IAM.

Owns: the instance, the right of the namespace's accounts to log in to it, a Google account for those without one.
Does not own: the network's service connection policy (wiring), what clients do with the address (service.py).

Traps:
- IAM logins are for service accounts and people; workload principals cannot log in.
- Authorization and encryption cannot change later: another choice replaces the instance, which is refused.
- Google takes one changed field in each update: change size, replicas and version one after another.
- The instance has a certificate authority of its own, so clients verify the chain and not the name: the certificate
  has none that the address of the endpoint matches.
- Nothing is stored on disks. A replica keeps the data when a node fails; without one it is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import pulumi
import pulumi_gcp as gcp
from pydantic import Field

from components.google.memorystore import node_type
from components.settings import Region, Settings

CONNECT_ROLE = "roles/memorystore.dbConnectionUser"
"""https://docs.cloud.google.com/memorystore/docs/valkey/about-iam-auth"""

SERVICE_CLASS = "gcp-memorystore"
"""Of the service connection policy. https://docs.cloud.google.com/memorystore/docs/valkey/networking"""

PORT = 6379
"""Of both endpoints of an instance."""

ENDPOINTS = 2
"""Private endpoints of an instance: one to write, and one that reads from replicas."""

LONGEST_NAME = 24
"""Characters of a namespace with a Redis: Google accounts have 30 at most."""


class RedisSettings(Settings):
    """A Redis of its own, in Memorystore for Valkey."""

    size_gb: Annotated[int, Field(ge=1, le=88)] = 1
    """Data that fits in memory, GB; the smallest node that holds it is chosen."""

    replicas: Annotated[int, Field(ge=0, le=5)] = 1
    """Copies in other zones, which take over when a zone fails. With 0, its data is lost with the node."""

    version: Literal["VALKEY_7_2", "VALKEY_8_0", "VALKEY_9_0"] = "VALKEY_9_0"
    """Version of Valkey, which Redis clients understand; it can be raised and not lowered."""


class Redis(pulumi.ComponentResource):
    """An instance that only the accounts of its namespace log in to."""

    address: pulumi.Output[str]
    """`rediss://HOST:PORT/0`; empty until Google reports the endpoint."""

    authorities: pulumi.Output[str]
    """Certificates of the instance's own authority, PEM; empty until Google reports them."""

    logins: dict[str, pulumi.Output[str]]
    """E-mail addresses of the Google accounts that are created here, by Kubernetes account."""

    def __init__(
        self,
        name: str,
        settings: RedisSettings,
        *,
        namespace: str,
        accounts: Mapping[str, pulumi.Input[str] | None],
        region: Region,
        project_id: str,
        workload_pool: pulumi.Input[str],
        network_id: str,
        access: Sequence[pulumi.Resource],
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:redis:Redis", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        members = {key: login for key, login in accounts.items() if login is not None}
        self.logins = {}
        if without := [key for key, login in accounts.items() if login is None]:
            # One Google account for all of them: the border is the namespace, not the account.
            own = self._account(name, namespace, without, workload_pool)
            members["redis"], self.logins = own, dict.fromkeys(without, own)
        instance_id = physical_name(namespace)
        instance = gcp.memorystore.Instance(
            f"{name}-instance",
            instance_id=instance_id,
            location=region,
            engine_version=settings.version,
            mode="CLUSTER_DISABLED",
            shard_count=1,
            replica_count=settings.replicas,
            node_type=node_type(settings.size_gb),
            authorization_mode="IAM_AUTH",
            transit_encryption_mode="SERVER_AUTHENTICATION",
            persistence_config={"mode": "DISABLED"},
            desired_auto_created_endpoints=[{"network": network_id, "project_id": project_id}],
            deletion_protection_enabled=protect,
            opts=pulumi.ResourceOptions(parent=self, depends_on=access, protect=protect),
        )
        for key, login in members.items():
            gcp.projects.IAMMember(
                f"{name}-connect-{key}",
                project=project_id,
                role=CONNECT_ROLE,
                member=pulumi.Output.concat("serviceAccount:", login),
                condition={
                    "title": f"only {instance_id}",
                    "expression": f'resource.name == "{resource_name(project_id, region, namespace)}"',
                },
                opts=child,
            )
        self.address = instance.endpoints.apply(_address)
        self.authorities = instance.managed_server_cas.apply(_authorities)
        self.register_outputs({"address": self.address, "authorities": self.authorities, "logins": self.logins})

    def _account(
        self, name: str, namespace: str, users: Sequence[str], workload_pool: pulumi.Input[str]
    ) -> pulumi.Output[str]:
        """A Google account that pods of these Kubernetes accounts act as; its e-mail address."""
        child = pulumi.ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account(
            f"{name}-account",
            account_id=physical_name(namespace),
            display_name=f"Redis login of {namespace}",
            opts=child,
        )
        for user in users:
            gcp.serviceaccount.IAMMember(
                f"{name}-{user}-impersonation",
                service_account_id=account.name,
                role="roles/iam.workloadIdentityUser",
                member=pulumi.Output.format("serviceAccount:{0}[{1}/{2}]", workload_pool, namespace, user),
                opts=child,
            )
        return account.email


def physical_name(namespace: str) -> str:
    """The name of the instance of a namespace, and of its Google account if one is created."""
    return f"{namespace}-redis"


def resource_name(project_id: str, region: str, namespace: str) -> str:
    """The instance as IAM names it."""
    return f"projects/{project_id}/locations/{region}/instances/{physical_name(namespace)}"


def _address(endpoints: Sequence[gcp.memorystore.outputs.InstanceEndpoint] | None) -> str:
    for endpoint in endpoints or ():
        for each in endpoint.connections or ():
            connection = each.psc_auto_connection
            if connection and connection.connection_type == "CONNECTION_TYPE_PRIMARY" and connection.ip_address:
                return f"rediss://{connection.ip_address}:{connection.port or PORT}/0"
    return ""


def _authorities(managed: Sequence[gcp.memorystore.outputs.InstanceManagedServerCa] | None) -> str:
    chains = [chain for authority in managed or () for chain in authority.ca_certs or ()]
    return "\n".join(certificate.strip() for chain in chains for certificate in chain.certificates or ())
