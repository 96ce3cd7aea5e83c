"""How releases reach the environments: what every delivery system offers to the rest of the program.

Delivery is an optional part. Jenkins (components/jenkins) is one system, another CI system whose identities exist
already (components/external_ci.py) is the other; neither knows of the other, and nothing else knows of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import pulumi

StoreName = Literal["postgres", "redis", "mysql"]
"""A data store that a test or a preview namespace can ask for."""


class Delivery(Protocol):
    """A delivery system after its resources are declared."""

    @property
    def identities(self) -> Mapping[str, pulumi.Output[str]]:
        """IAM members that deploy, by `deployer_key` and `preview_key`; each environment lets its own in."""
        ...

    @property
    def preview_images(self) -> pulumi.Output[list[str]]:
        """Images of data stores that it starts in preview namespaces next to the candidates."""
        ...


def deployer_key(environment: str) -> str:
    """The key of the identity that deploys releases to an environment."""
    return f"deploy-{environment}"


def preview_key(environment: str) -> str:
    """The key of the identity that deploys builds of pull requests to an environment's preview namespaces."""
    return f"previews-{environment}"


@dataclass(frozen=True)
class DeployRules:
    """What a delivery system's settings state about one environment."""

    approvers: tuple[str, ...] | None
    """Who approves deploys; None where the delivery system asks outside of this program."""

    previews: bool
    """Whether builds of pull requests are deployed to its preview namespaces."""


@dataclass(frozen=True)
class PlatformSource:
    """Jenkins builds the repositories of one organization on GitHub, and this repository is one of them."""

    repository: str
    """OWNER/NAME on GitHub; its folder `delivery` holds the shared pipeline library."""

    backend: str
    """Pulumi's backend, such as gs://acme-state."""

    @property
    def organization(self) -> str:
        """The owner, whose repositories with a Jenkinsfile are built."""
        return self.repository.partition("/")[0]

    @property
    def name(self) -> str:
        """The repository's name without its owner."""
        return self.repository.partition("/")[2]

    @property
    def url(self) -> str:
        """The address of the repository for people, for git and for GitHub's API."""
        return f"https://github.com/{self.repository}"
