"""Where the platform's own repository and the state of its stacks are."""

from __future__ import annotations

from dataclasses import dataclass


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
