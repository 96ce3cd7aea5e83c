"""The environment that is being updated: its name, its settings, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi

from components.delivery import PlatformSource
from infra import CONFIG_KEY, PROJECT, company
from infra.catalog import read_all as services_in
from infra.company import CompanySettings
from infra.config import read_all, with_services
from infra.errors import ConfigError
from infra.layout import SERVICES_FOLDER, STACKS_FOLDER
from infra.services import ServiceSettings
from infra.stack import StackConfig


@dataclass(frozen=True)
class Environment:
    """One stack: `name` as in stacks/Pulumi.NAME.yaml."""

    name: str
    config: StackConfig
    services: Mapping[str, ServiceSettings] = field(default_factory=dict[str, ServiceSettings])
    """All services of the catalog, not only those that run here."""
    others: Mapping[str, StackConfig] = field(default_factory=dict[str, StackConfig])
    """The settings of all environments without their services, this one too."""
    company: CompanySettings | None = None
    """What stacks/platform.yaml says; None where nothing in this stack needs it."""

    @classmethod
    def current(cls) -> Environment:
        """The stack that the engine is running; mistakes in stack files end the program with one plain message."""
        stack = pulumi.get_stack()
        text = pulumi.Config(PROJECT).get("stack")
        if text is None:
            raise pulumi.RunError(f"stacks/Pulumi.{stack}.yaml: config.{CONFIG_KEY} is missing; add it")
        try:
            root = Path(pulumi.get_root_directory())
            stacks = root / STACKS_FOLDER
            services, others = services_in(root / SERVICES_FOLDER), read_all(stacks, {stack: text})
            config = with_services(stack, others, services)
            known = company.read(stacks) if config.jenkins is not None else None
            return cls(stack, config, services, others, known)
        except ConfigError as error:
            raise pulumi.RunError(str(error)) from None

    @property
    def physical_name(self) -> str:
        """What people type: the name of the cluster and the network."""
        return physical_name(self.name)

    @property
    def source(self) -> PlatformSource:
        """Where the platform's repository and state are, for stacks with Jenkins."""
        if self.company is None:
            raise ValueError(f"{company.FILE} is read for stacks with jenkins only, and {self.name} has none")
        return self.company.source

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
