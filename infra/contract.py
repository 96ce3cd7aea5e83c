"""The outputs of a stack: the only place that names one.

Flow goes ci → staging → production. A later stack reads `platform` of its upstream; the other outputs are for people
and for other tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.output import UNKNOWN

from components.cluster import GkeCluster
from components.database import Database
from components.delivery import deployer_key, preview_key
from components.network import Network
from infra import PLATFORM


@dataclass(frozen=True)
class Platform:
    """What ci offers to later environments."""

    registry_project: pulumi.Input[str]
    registry_location: pulumi.Input[str]
    registry_url: pulumi.Input[str]
    deployers: pulumi.Input[Mapping[str, str]]
    """IAM member that may deploy, by `deployer_key` and `preview_key`."""

    def publish(self) -> None:
        """Export it from the stack that owns the registry and Jenkins."""
        pulumi.export(
            PLATFORM,
            {
                "registryProject": self.registry_project,
                "registryLocation": self.registry_location,
                "registryUrl": self.registry_url,
                "deployers": self.deployers,
            },
        )

    @classmethod
    def of(cls, stack: str) -> Platform:
        """Read it from another stack of this project; a missing output fails the update and names the stack.

        A preview goes on without it: a new environment is looked at before the upstream knows it.
        """
        reference = pulumi.StackReference(
            stack, stack_name=f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
        )

        def published(platform: Mapping[str, Any] | None) -> Any:
            if platform is None and pulumi.runtime.is_dry_run():
                return UNKNOWN
            if platform is None:
                raise pulumi.RunError(f"the stack {stack} has no output `{PLATFORM}`: run `pulumi up -s {stack}` first")
            return platform

        platform = reference.get_output(PLATFORM).apply(published)
        return cls(
            registry_project=platform["registryProject"],
            registry_location=platform["registryLocation"],
            registry_url=platform["registryUrl"],
            deployers=platform["deployers"],
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


def publish(cluster: GkeCluster, databases: Mapping[str, Database], network: Network) -> None:
    """Export what people and tools look for in every environment."""
    pulumi.export("cluster", cluster.cluster_name)
    pulumi.export("endpoint", cluster.endpoint)
    pulumi.export("databases", {key: database.connection_name for key, database in databases.items()})
    pulumi.export("nat_addresses", network.nat_addresses)
