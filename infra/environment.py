"""The environment that is being updated: its name, its settings, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi

from components.delivery import PlatformSource
from components.tenant import TenantSettings
from infra import CONFIG_KEY, PROJECT, company
from infra.catalog import names, read_group
from infra.catalog import read_all as services_in
from infra.company import CompanySettings
from infra.config import check_group, read_all, with_services
from infra.errors import ConfigError
from infra.layout import RUNBOOKS, SERVICES_FOLDER, STACKS_FOLDER, separate_groups
from infra.services import ServiceSettings
from infra.stack import StackConfig
from infra.stack_name import StackName


@dataclass(frozen=True)
class Environment:
    """The environment of the stack that is updated: `name` as in stacks/Pulumi.NAME.yaml."""

    name: str
    config: StackConfig
    """Its settings with the services in `services` that run in it."""
    services: Mapping[str, ServiceSettings] = field(default_factory=dict[str, ServiceSettings])
    """The services of the stack: those of its group, or of all groups without a stack of their own here."""
    others: Mapping[str, StackConfig] = field(default_factory=dict[str, StackConfig])
    """The settings of all environments without their services, this one too."""
    company: CompanySettings | None = None
    """What stacks/platform.yaml says; None where nothing in this stack needs it."""
    group: str | None = None
    """The group of services that the stack is for; None in the environment's own stack."""

    @classmethod
    def current(cls) -> Environment:
        """The stack that the engine is running; mistakes in its files end the program with one plain message."""
        stack = StackName.parse(pulumi.get_stack())
        text = pulumi.Config(PROJECT).get("stack")
        if text is None and stack.group is None:
            raise pulumi.RunError(f"stacks/Pulumi.{stack}.yaml: config.{CONFIG_KEY} is missing; add it")
        root = Path(pulumi.get_root_directory())
        stacks, catalog = root / STACKS_FOLDER, root / SERVICES_FOLDER
        try:
            if stack.group is not None:
                others = read_all(stacks)
                check_group(stack, others)
                services = read_group(catalog, stack.group)
            else:
                others = read_all(stacks, {stack.environment: text or ""})
                services = services_in(catalog, without=separate_groups(stacks, stack.environment))
            config = with_services(stack.environment, others, services, names(catalog))
            needed = config.jenkins is not None or config.monitoring is not None
            known = company.read(stacks) if stack.group is None and needed else None
            return cls(stack.environment, config, services, others, known, stack.group)
        except ConfigError as error:
            raise pulumi.RunError(str(error)) from None

    @property
    def tenants(self) -> Mapping[str, TenantSettings]:
        """The tenants of the stack; those in the stack file belong to the environment's own stack."""
        if self.group is None:
            return self.config.tenants
        return {name: tenant for name, tenant in self.config.tenants.items() if name in self.services}

    @property
    def physical_name(self) -> str:
        """What people type: the name of the cluster and the network."""
        return physical_name(self.name)

    @property
    def network_id(self) -> str:
        """Resource name of the network, also for stacks that do not create it."""
        project, existing = self.config.project.id, self.config.network.existing
        if existing is not None:
            return existing.network_id(project)
        return f"projects/{project}/global/networks/{self.physical_name}"

    @property
    def source(self) -> PlatformSource:
        """Where the platform's repository and state are, for stacks with Jenkins."""
        return self._known_company.source

    @property
    def billing_account(self) -> str:
        """Who pays for the project."""
        create = self.config.project.create
        return self._known_company.billing_account if create is None else create.billing_account

    @property
    def runbooks(self) -> str:
        """The address of the folder with a page for each alert."""
        return f"https://github.com/{self._known_company.github.repository}/blob/main/{RUNBOOKS}"

    @property
    def _known_company(self) -> CompanySettings:
        if self.company is None:
            raise ValueError(f"{company.FILE} is read for stacks with jenkins or monitoring, and {self.name} has none")
        return self.company

    @property
    def guarded(self) -> bool:
        """Whether a destroy is refused before it begins, for all that would be missed."""
        return self.config.cluster.deletion_protection

    @property
    def labels(self) -> dict[str, str]:
        """Labels of everything in the environment."""
        return self.config.labels(self.name)


def physical_name(environment: str) -> str:
    """The name of an environment's cluster and network."""
    return f"atwork-{environment}"


def through(*providers: pulumi.ProviderResource) -> pulumi.ResourceOptions:
    """Options of a component whose children are made through these providers."""
    return pulumi.ResourceOptions(providers=list(providers))
