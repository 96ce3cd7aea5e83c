"""A duty, and the facts about an environment that its duties depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from atwork.permissions import calls
from components import repositories
from components.node_account import node_account_id
from infra.environment import physical_name
from infra.stack import StackConfig


@dataclass(frozen=True)
class Duty:
    """One thing that an identity does."""

    identity: str
    does: str
    permissions: frozenset[str]
    resource: str
    grants: frozenset[str] = frozenset()
    """Roles that it grants, if it sets a policy."""


@dataclass(frozen=True)
class EnvironmentFacts:
    """An environment with its services (`complete`), and the facts that only the cloud knows."""

    name: str
    config: StackConfig
    agents: Mapping[str, str]
    """Service agents of Google, `serviceAccount:EMAIL` by service."""
    keys: Mapping[str, str]
    """Resource names of keys by `PURPOSE-LOCATION`."""
    proxied: frozenset[str] = frozenset()
    """Services whose hosts are behind the Identity-Aware Proxy."""

    @property
    def project(self) -> str:
        """Resource name of the project."""
        return f"projects/{self.config.project.id}"

    @property
    def nodes(self) -> str:
        """The service account of the nodes."""
        return self.account(node_account_id(physical_name(self.name)))

    def account(self, account_id: str) -> str:
        """A service account of the project."""
        return f"serviceAccount:{account_id}@{self.config.project.id}.iam.gserviceaccount.com"

    def repository(self, name: str) -> str:
        """A repository of the environment's registry."""
        settings = self.config.registry
        if settings is None:
            raise ValueError(f"{self.name} has no registry")
        location = repositories.GCR_LOCATIONS.get(name, settings.location)
        return f"{self.project}/locations/{location}/repositories/{name}"


def duty(identity: str, does: str, methods: Iterable[str], resource: str) -> Duty:
    """A duty with the permissions that API methods need."""
    return Duty(identity, does, calls.permissions(methods), resource)
