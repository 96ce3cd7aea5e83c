"""The outputs of a stack: the only place that names one.

Flow goes ci → staging → production, and from an environment to its groups of services. A later environment reads
`platform` of its upstream, a group `shared` of its environment; the other outputs are for people and for other tools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.output import UNKNOWN

from components.cluster import GkeCluster
from components.database import Database
from components.delivery import deployer_key, preview_key
from components.gateway.hosts import GatewayRefs
from components.gateway.settings import GatewaySettings
from components.network_refs import NetworkRefs
from infra import PLATFORM, SHARED
from infra.stack import StackConfig


@dataclass(frozen=True)
class Platform:
    """What ci offers to later environments."""

    registry_project: pulumi.Input[str]
    registry_location: pulumi.Input[str]
    registry_url: pulumi.Input[str]
    deployers: pulumi.Input[Mapping[str, str]]
    """IAM member that may deploy, by `deployer_key` and `preview_key`."""
    preview_images: pulumi.Input[Sequence[str]]
    """Images of data stores in preview namespaces."""
    signing_key: pulumi.Input[str] | None = None
    """Id of the key that signs releases; None, and empty in other stacks, if nobody signs them."""

    def publish(self) -> None:
        """Export it from the stack that owns the registry and Jenkins."""
        pulumi.export(
            PLATFORM,
            {
                "registryProject": self.registry_project,
                "registryLocation": self.registry_location,
                "registryUrl": self.registry_url,
                "deployers": self.deployers,
                "previewImages": self.preview_images,
                **({} if self.signing_key is None else {"signingKey": self.signing_key}),
            },
        )

    @classmethod
    def of(cls, stack: str) -> Platform:
        """Read it from the stack of the environment that builds."""
        platform = output_of(stack, PLATFORM)
        return cls(
            registry_project=platform["registryProject"],
            registry_location=platform["registryLocation"],
            registry_url=platform["registryUrl"],
            deployers=platform["deployers"],
            preview_images=platform.apply(lambda outputs: outputs.get("previewImages", [])),
            signing_key=platform.apply(lambda outputs: outputs.get("signingKey", "")),
        )

    def deployer(self, environment: str, *, previews: bool = False) -> pulumi.Output[str]:
        """The principal of ci that deploys to one environment, or to its preview namespaces."""
        identity = (preview_key if previews else deployer_key)(environment)

        def pick(deployers: Mapping[str, str]) -> Any:
            if identity not in deployers and pulumi.runtime.is_dry_run():
                return UNKNOWN
            if identity not in deployers:
                key = f"deploys.{environment}{'.preview_namespaces' if previews else ''}"
                raise pulumi.RunError(
                    f"the upstream stack has no {identity}: add jenkins.{key} or external_ci.{key} to its stack file "
                    f"and run `pulumi up` there first (it has {', '.join(sorted(deployers)) or 'none'})"
                )
            return deployers[identity]

        return pulumi.Output.from_input(self.deployers).apply(pick)

    def trusted_key(self, upstream: str) -> pulumi.Output[str]:
        """The key whose signatures an environment requires."""

        def required(key: str | None) -> Any:
            if not key and pulumi.runtime.is_dry_run():
                return UNKNOWN
            if not key:
                raise pulumi.RunError(
                    f"the stack {upstream} signs no releases yet: run `pulumi up -s {upstream}` first"
                )
            return key

        return pulumi.Output.from_input(self.signing_key).apply(required)


@dataclass(frozen=True)
class Instance:
    """A Cloud SQL instance as services know it."""

    name: pulumi.Input[str]
    connection_name: pulumi.Input[str]
    """PROJECT:REGION:INSTANCE."""


@dataclass(frozen=True)
class Shared:
    """What an environment offers to the services that run in it, in its own stack and in the stacks of groups."""

    cluster: pulumi.Input[str]
    endpoint: pulumi.Input[str]
    """Host name of the cluster's control plane."""
    workload_pool: pulumi.Input[str]
    project_number: pulumi.Input[str]
    deployer: pulumi.Input[str] | None
    """The account that deploys services; None where nothing is deployed to."""
    mirror: pulumi.Input[str]
    """The address of the mirror of Docker Hub."""
    secrets_agent: pulumi.Input[str]
    """The service agent of Secret Manager, as an IAM member."""
    secrets_keys: Mapping[str, pulumi.Input[str]]
    """Ids of the keys of secrets by location; empty where Google's own keys are used."""
    instances: Mapping[str, Instance]
    """Cloud SQL instances by their key in the stack file."""
    gateway: GatewayRefs | None = None
    """The Gateway; None where there is none."""

    def publish(self) -> None:
        """Export it for the stacks of the environment's groups."""
        pulumi.export(
            SHARED,
            {
                "cluster": self.cluster,
                "endpoint": self.endpoint,
                "workloadPool": self.workload_pool,
                "projectNumber": self.project_number,
                "deployer": self.deployer,
                "mirror": self.mirror,
                "secretsAgent": self.secrets_agent,
                "secretsKeys": dict(self.secrets_keys),
                "instances": {
                    key: {"name": instance.name, "connectionName": instance.connection_name}
                    for key, instance in self.instances.items()
                },
                **_gateway_outputs(self.gateway),
            },
        )

    @classmethod
    def of(cls, environment: str, config: StackConfig) -> Shared:
        """Read it from the stack of an environment with these settings, which decide what it offers."""
        shared = output_of(environment, SHARED)
        encrypted = "secrets" in config.encryption.covers
        return cls(
            cluster=shared["cluster"],
            endpoint=shared["endpoint"],
            workload_pool=shared["workloadPool"],
            project_number=shared["projectNumber"],
            deployer=shared["deployer"] if config.upstream is not None else None,
            mirror=shared["mirror"],
            secrets_agent=shared["secretsAgent"],
            secrets_keys={
                place: shared["secretsKeys"][place] for place in (config.secrets.places() if encrypted else ())
            },
            instances={
                key: Instance(shared["instances"][key]["name"], shared["instances"][key]["connectionName"])
                for key in config.databases
            },
            gateway=_gateway_of(shared, config.gateway),
        )


def _gateway_outputs(gateway: GatewayRefs | None) -> dict[str, Any]:
    return {} if gateway is None else {"gateway": {"address": gateway.address, "zone": gateway.zone}}


def _gateway_of(shared: pulumi.Output[Any], settings: GatewaySettings | None) -> GatewayRefs | None:
    if settings is None:
        return None
    return GatewayRefs(settings, shared["gateway"]["address"], shared["gateway"]["zone"])


def output_of(stack: str, name: str) -> pulumi.Output[Any]:
    """An output of another stack of this project.

    A missing output fails an update and names the stack. A preview continues without it: a new environment is previewed
    before the stack that it reads has the output.
    """
    reference = pulumi.StackReference(stack, stack_name=f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}")

    def published(value: Mapping[str, Any] | None) -> Any:
        if value is None and pulumi.runtime.is_dry_run():
            return UNKNOWN
        if value is None:
            raise pulumi.RunError(f"the stack {stack} has no output `{name}`: run `pulumi up -s {stack}` first")
        return value

    return reference.get_output(name).apply(published)


def publish(cluster: GkeCluster, databases: Mapping[str, Database], network: NetworkRefs) -> None:
    """Export what people and tools look for in every environment."""
    pulumi.export("cluster", cluster.cluster_name)
    pulumi.export("endpoint", cluster.endpoint)
    pulumi.export("databases", {key: database.connection_name for key, database in databases.items()})
    replicas = {key: database.replicas for key, database in databases.items() if database.replicas}
    if replicas:
        pulumi.export("database_replicas", replicas)
    pulumi.export("nat_addresses", network.nat_addresses)
