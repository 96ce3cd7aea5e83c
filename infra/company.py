"""`stacks/platform.yaml`: what the company is. All environments share it, and no stack makes it.

The state bucket, the repository and its organization are stated here and nowhere else: a stack file has no key for
them. The module is not called `platform`: with `main: infra/` it would shadow Python's own module of that name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import field_validator, model_validator

from components.delivery import PlatformSource
from components.forms import TextForm
from components.settings import BillingAccount, ProjectId, Region, Settings
from infra.errors import ConfigError
from infra.layout import PLATFORM_FILE, STACKS_FOLDER
from infra.stack import StackConfig
from infra.validation import settings_from_json
from infra.yaml_files import read_yaml

FILE = f"{STACKS_FOLDER}/{PLATFORM_FILE}"
"""Its name in messages."""

EXAMPLE = """\
organization: "123456789012"              # or folder: below which the admin project is made
admin_project: acme-at-work-admin         # holds the state, the keys and the identities of CI
billing_account: 01AB23-CD45EF-678901
location: europe-west1
github: {repository: acme/at-work, repository_id: "123456789"}
"""
"""What a person writes who has none yet."""

Number = Annotated[str, TextForm(r"^[0-9]{1,19}$", "a number", "123456789012")]


BucketName = Annotated[
    str,
    TextForm(
        r"^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$",
        "3 to 63 lower-case letters, digits, hyphens and underscores",
        "acme-at-work-state",
    ),
]
"""The name of a bucket, unique in the world."""


class GitHubSettings(Settings):
    """The repository whose workflows get the identities of CI."""

    repository: Annotated[
        str,
        TextForm(
            r"^[A-Za-z0-9]([A-Za-z0-9-]{0,37}[A-Za-z0-9])?/[A-Za-z0-9._-]{1,100}$",
            "OWNER/NAME of a GitHub repository",
            "acme/at-work",
        ),
    ]
    """OWNER/NAME."""

    repository_id: Number
    """Its number, which no other repository ever gets, unlike its name (`gh api repos/OWNER/NAME --jq .id`)."""

    @field_validator("repository")
    @classmethod
    def _name_without_suffix(cls, repository: str) -> str:
        if repository.endswith(".git"):
            raise ValueError(f"ends in .git; write {repository.removesuffix('.git')}, without .git")
        return repository


class CompanySettings(Settings):
    """Where the admin project hangs, who pays for it, where the state is, and which repository deploys."""

    organization: Number | None = None
    """Number of the organization that the admin project is made in."""

    folder: Number | None = None
    """Number of the folder, where it is not made directly below the organization."""

    admin_project: ProjectId
    """Holds the state bucket, the keys of the state's secrets and the identities of CI; outlives every environment."""

    billing_account: BillingAccount
    """Who pays for the admin project, such as 01AB23-CD45EF-678901."""

    location: Region
    """Region of the state and of its keys."""

    state_bucket: BucketName | None = None
    """Name of the state bucket, unique in the world; left out, ADMIN_PROJECT-state."""

    github: GitHubSettings
    """The repository of this project."""

    @model_validator(mode="after")
    def _one_parent(self) -> Self:
        if (self.organization is None) == (self.folder is None):
            raise ValueError("say organization or folder, and not both; name the one that the admin project is made in")
        return self

    @property
    def parent(self) -> str:
        """What the admin project hangs below, as Google names it."""
        return f"folders/{self.folder}" if self.folder else f"organizations/{self.organization}"

    @property
    def bucket(self) -> str:
        """Name of the state bucket."""
        return self.state_bucket or f"{self.admin_project}-state"

    @property
    def backend(self) -> str:
        """Pulumi's backend: the value of PULUMI_BACKEND_URL."""
        return f"gs://{self.bucket}"

    @property
    def source(self) -> PlatformSource:
        """Where Jenkins finds this repository and the state of the stacks."""
        return PlatformSource(self.github.repository, self.backend)


def check_admin_project(settings: CompanySettings, environments: Mapping[str, StackConfig]) -> None:
    """Raise `ConfigError` where the admin project is that of an environment."""
    users = [name for name, config in environments.items() if config.project.id == settings.admin_project]
    if users:
        raise ConfigError(
            f"{FILE}: admin_project: {settings.admin_project} is the project of {users[0]}; the admin project "
            "outlives every environment and needs an id of its own"
        )


def read(stacks: Path) -> CompanySettings:
    """The settings in a stacks folder; `ConfigError` names every wrong key."""
    path = stacks / PLATFORM_FILE
    if not os.path.lexists(path):
        raise ConfigError(f"{FILE}: file not found; write it with your values:\n\n{EXAMPLE}")
    return settings_from_json(CompanySettings, json.dumps(read_yaml(path, FILE)), FILE, ())
