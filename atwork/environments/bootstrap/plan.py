"""Names of everything that bootstrap creates, from an environment's stack file and the platform file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atwork.errors import ConfigError, UsageError
from infra import PROJECT, company
from infra.company import CompanySettings
from infra.config import read_all
from infra.stack import StackConfig

KEY_RING = "atwork-state"
POOL = "atwork-github"
PROVIDER = "actions"
REAP_ACCOUNT = "reap-ephemeral"
"""Short name of the identity that destroys ephemeral environments; the bootstrap of each one grants it its rights."""

MAIN = "refs/heads/main"
"""The only branch whose workflows deploy."""


@dataclass(frozen=True)
class BootstrapPlan:
    """One environment and the names that bootstrap uses for it."""

    name: str
    config: StackConfig
    platform: CompanySettings
    ephemeral_stacks: frozenset[str] = frozenset()
    """Ephemeral environments; they share a key, because keys can never be deleted."""
    upstream_project: str = ""
    """Project of the upstream, in whose registry the environment grants access to its nodes and deployers."""

    @property
    def ephemeral(self) -> bool:
        """Whether it has an expiry date: then its stack creates and deletes the project."""
        return self.config.environment.kind == "ephemeral"

    @property
    def host_project(self) -> str:
        """Host project of the Shared VPC; "" where the network is in the environment's own project."""
        existing, own = self.config.network.existing, self.config.project.id
        return "" if existing is None or existing.owner(own) == own else existing.owner(own)

    @property
    def admin(self) -> str:
        """The admin project."""
        return self.platform.admin_project

    @property
    def backend(self) -> str:
        """PULUMI_BACKEND_URL of every environment."""
        return f"gs://{self.platform.bucket}"

    @property
    def key(self) -> str:
        """Resource name of the key of this stack's secrets."""
        return self.key_of(self.name)

    def key_of(self, stack: str) -> str:
        """Resource name of the key of any stack's secrets."""
        key = "ephemeral" if stack in self.ephemeral_stacks else stack
        return f"projects/{self.admin}/locations/{self.platform.location}/keyRings/{KEY_RING}/cryptoKeys/{key}"

    @property
    def secrets_provider(self) -> str:
        """Value of `secretsprovider` in the stack file."""
        return f"gcpkms://{self.key}"

    @property
    def preview_account(self) -> str:
        """Short name of the identity that previews."""
        return f"preview-{self.name}"

    @property
    def deploy_account(self) -> str:
        """Short name of the identity that updates."""
        return f"deploy-{self.name}"

    @property
    def drift_account(self) -> str:
        """Short name of the identity that looks for drift."""
        return f"drift-{self.name}"

    @property
    def accounts(self) -> dict[str, str]:
        """All identities of CI in this environment: GitHub's environment by the account's short name."""
        accounts = {
            self.preview_account: f"preview-{self.name}",
            self.drift_account: f"drift-{self.name}",
            self.deploy_account: self.name,
        }
        return {**accounts, REAP_ACCOUNT: "ephemeral"} if self.ephemeral else accounts

    def member(self, account: str) -> str:
        """Member of bindings for a service account of the admin project."""
        return f"serviceAccount:{self.email(account)}"

    def email(self, account: str) -> str:
        """Email address of a service account of the admin project."""
        return f"{account}@{self.admin}.iam.gserviceaccount.com"

    @property
    def state_object(self) -> str:
        """Object with the stack's state."""
        return f".pulumi/stacks/{PROJECT}/{self.name}.json"

    @property
    def own_objects(self) -> str:
        """IAM condition for the objects of this environment's stacks only: state, lock, history, backups.

        A condition has 12 logical operators at most. https://cloud.google.com/iam/quotas
        """
        start = f"projects/_/buckets/{self.platform.bucket}/objects"
        return " || ".join(f'resource.name.startsWith("{start}/{prefix}")' for prefix in self.own_prefixes)

    @property
    def own_prefixes(self) -> tuple[str, ...]:
        """Prefixes of the objects of the environment's stack and of its groups' stacks (NAME.GROUP) in the bucket."""
        folders = (f".pulumi/{folder}/{PROJECT}/{self.name}" for folder in ("locks/organization", "history", "backups"))
        return (
            f".pulumi/stacks/{PROJECT}/{self.name}.",
            *(f"{folder}{end}" for folder in folders for end in ("/", ".")),
        )


def read(name: str, stacks: Path) -> BootstrapPlan:
    """Return the plan of an environment according to a folder of stack files."""
    return of(name, read_all(stacks), company.read(stacks))


def of(name: str, environments: Mapping[str, StackConfig], platform: CompanySettings) -> BootstrapPlan:
    """Return the plan of an environment; `ConfigError` if it cannot be bootstrapped."""
    if name not in environments:
        raise UsageError(
            f"stacks/Pulumi.{name}.yaml: file not found; environments: {', '.join(environments)}; "
            f"`atwork environment new {name}` creates it"
        )
    config = environments[name]
    file = f"stacks/Pulumi.{name}.yaml"
    company.check_admin_project(platform, environments)
    if config.environment.kind == "ephemeral" and config.project.create is None:
        raise ConfigError(
            f"{file}: project.create is missing; an ephemeral environment creates its project and deletes it"
        )
    ephemeral = frozenset(other for other, that in environments.items() if that.environment.kind == "ephemeral")
    if "ephemeral" in environments:
        raise ConfigError(
            "stacks/Pulumi.ephemeral.yaml: the name is reserved for the key of ephemeral environments; choose another"
        )
    upstream = environments.get(config.upstream or "")
    return BootstrapPlan(name, config, platform, ephemeral, upstream.project.id if upstream is not None else "")
