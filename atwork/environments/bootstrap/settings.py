"""`stacks/platform.yaml`: what all environments share and no stack makes, read and checked at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from components.settings import ProjectId, Region, Settings
from infra.mistakes import ConfigError, lines, read_yaml

FILE = "stacks/platform.yaml"
"""Its name in messages."""

EXAMPLE = """\
organization: "123456789012"              # or folder: below which the admin project is made
admin_project: acme-at-work-admin         # holds the state, the keys and the identities of CI
billing_account: 01AB23-CD45EF-678901
location: europe-west1
github: {repository: acme/at-work, repository_id: "123456789"}
"""
"""What a person writes who has none yet."""

Number = Annotated[str, Field(pattern=r"^[0-9]{1,19}$")]


class GitHubSettings(Settings):
    """The repository whose workflows get the identities of CI."""

    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$")]
    """OWNER/NAME."""

    repository_id: Number
    """Its number, which no other repository ever gets, unlike its name (`gh api repos/OWNER/NAME --jq .id`)."""


class PlatformSettings(Settings):
    """Where the admin project hangs, who pays for it, and which repository deploys."""

    organization: Number | None = None
    """Number of the organisation that the admin project is made in."""

    folder: Number | None = None
    """Number of the folder, where it is not made directly below the organisation."""

    admin_project: ProjectId
    """Holds the state bucket, the keys of the state's secrets and the identities of CI; outlives every environment."""

    billing_account: Annotated[str, Field(pattern=r"^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$")]
    """Who pays for the admin project, such as 01AB23-CD45EF-678901."""

    location: Region
    """Region of the state and of its keys."""

    state_bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$")] | None = None
    """Name of the state bucket, unique in the world; ADMIN_PROJECT-state where nothing is said."""

    github: GitHubSettings
    """The repository of this project."""

    @model_validator(mode="after")
    def _one_parent(self) -> Self:
        if (self.organization is None) == (self.folder is None):
            raise ValueError("say organization or folder, the one that the admin project is made in, and not both")
        return self

    @property
    def parent(self) -> str:
        """What the admin project hangs below, as Google names it."""
        return f"folders/{self.folder}" if self.folder else f"organizations/{self.organization}"

    @property
    def bucket(self) -> str:
        """The state bucket."""
        return self.state_bucket or f"{self.admin_project}-state"


def read(stacks: Path) -> PlatformSettings:
    """The settings in a stacks folder; `ConfigError` names every wrong key."""
    path = stacks / "platform.yaml"
    if not path.exists():
        raise ConfigError(f"{FILE}: there is no such file; write it with your values:\n\n{EXAMPLE}")
    return lines(PlatformSettings, json.dumps(read_yaml(path, FILE)), FILE, ())
