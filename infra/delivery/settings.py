"""The sections of a stack file that choose a delivery system, and what the rest of the program asks about it."""

from __future__ import annotations

from collections.abc import Mapping

from components.delivery import DeployRules
from components.expected_secrets import ExpectedSecret
from components.external_ci import ExternalCiSettings
from components.jenkins import names, secrets
from components.jenkins.settings import JenkinsSettings
from components.settings import Settings

RESERVED_NAMES = frozenset(
    {
        names.JANITOR_JOB,
        names.PLATFORM_FOLDER,
        names.PREVIEWS_FOLDER,
        names.CHANGES_FOLDER,
        names.CONTROLLER_NAMESPACE,
    }
)
"""Names that no service can have: a service has a job folder of its name next to these jobs, and a namespace."""

RESERVED_PREFIXES = (f"{names.CONTROLLER_NAMESPACE}-",)
"""Prefixes of the namespaces of a delivery system."""

EPHEMERAL = names.EPHEMERAL
"""Key for all ephemeral environments together."""


class DeliverySettings(Settings):
    """At most one delivery system, in the environment that has the registry."""

    jenkins: JenkinsSettings | None = None
    """Jenkins, in the environment that builds."""

    external_ci: ExternalCiSettings | None = None
    """Another CI system instead of Jenkins, such as GitHub Actions, by its identities."""

    def updated_by_jenkins(self) -> frozenset[str]:
        """The environments whose stacks Jenkins updates."""
        platform = None if self.jenkins is None else self.jenkins.platform
        return frozenset(() if platform is None else platform.changes)

    def delivery_mistake(self) -> str | None:
        """What is wrong with the choice of a delivery system."""
        if self.jenkins is not None and self.external_ci is not None:
            return "jenkins and external_ci exclude each other: one system deploys; remove one of them"
        return None

    @property
    def delivery_key(self) -> str | None:
        """The key of the section in use."""
        return "jenkins" if self.jenkins is not None else "external_ci" if self.external_ci is not None else None

    def deploy_targets(self) -> Mapping[str, DeployRules]:
        """The environments that this environment deploys to, by the name of their stack."""
        system = self.jenkins or self.external_ci
        return {} if system is None else system.deploy_targets()

    def delivery_secrets(self) -> tuple[ExpectedSecret, ...]:
        """Secrets that the delivery system reads and that must have a value before its first update."""
        return () if self.jenkins is None else secrets.expected(self.jenkins)

    def delivery_namespaces(self) -> tuple[str, ...]:
        """Namespaces that the delivery system has in this environment."""
        if self.jenkins is None:
            return ()
        return (
            names.CONTROLLER_NAMESPACE,
            names.AGENTS_NAMESPACE,
            names.TESTS_NAMESPACE,
            *(names.target_namespace(cloud) for cloud in self.jenkins.targets()),
        )

    def delivery_hosts(self) -> tuple[str, ...]:
        """Host names that the delivery system has."""
        return () if self.jenkins is None else (self.jenkins.hostname,)

    def delivery_pools(self) -> dict[str, str]:
        """Node pools that pods of the delivery system choose, by the key that names them."""
        if self.jenkins is None:
            return {}
        pools = {"jenkins.agent_pool": self.jenkins.agent_pool}
        if self.jenkins.controller.pool is not None:
            pools["jenkins.controller.pool"] = self.jenkins.controller.pool
        return pools

    @property
    def delivery_volumes(self) -> bool:
        """Whether the delivery system keeps data on volumes of the cluster."""
        return self.jenkins is not None
