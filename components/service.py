"""What a service gets to know about the environment that it runs in.

Owns: the ConfigMap `platform` in the service's namespace, which the chart of the service template mounts as
environment variables.
Does not own: settings of the service itself (its chart's values) and secrets (components/secrets.py).

Traps: a pod reads it when it starts; after a change the next deploy, or a restart of the pods, brings it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.database_engine import DatabaseVersion, login_name

CONFIG_MAP = "platform"
"""Name of the ConfigMap that charts refer to."""


@dataclass(frozen=True)
class DatabaseFacts:
    """How a service reaches its database: by the connector, as itself, without a password."""

    instance: pulumi.Input[str]
    """Connection name `PROJECT:REGION:INSTANCE`."""

    name: str
    """Database."""

    account: pulumi.Input[str]
    """Google service account that its pods act as."""

    version: DatabaseVersion
    """Of its instance."""


@dataclass(frozen=True)
class RedisFacts:
    """How a service reaches its Redis: by TLS, and with an access token of its account as the password."""

    address: pulumi.Input[str]
    """`rediss://HOST:PORT/0`."""

    authorities: pulumi.Input[str]
    """Certificates that its certificate is verified with, PEM."""


class ServiceFacts(pulumi.ComponentResource):
    """Facts of the environment, as environment variables."""

    names: list[str]

    def __init__(
        self,
        name: str,
        *,
        namespace: pulumi.Input[str],
        facts: Mapping[str, pulumi.Input[str]],
        database: DatabaseFacts | None,
        redis: RedisFacts | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:service:ServiceFacts", name, {}, opts)
        data = {**facts}
        if database is not None:
            data |= {
                "DATABASE_INSTANCE": database.instance,
                "DATABASE_NAME": database.name,
                "DATABASE_USER": pulumi.Output.from_input(database.account).apply(
                    lambda account: login_name(database.version, account)
                ),
            }
        if redis is not None:
            data |= {"REDIS_URL": redis.address, "REDIS_CA": redis.authorities, "REDIS_AUTH": "iam"}
        kubernetes.core.v1.ConfigMap(
            f"{name}-facts",
            metadata={"name": CONFIG_MAP, "namespace": namespace},
            data=data,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.names = sorted(data)
        self.register_outputs({"names": self.names})
