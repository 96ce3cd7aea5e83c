"""Namespaces whose pods may call a tenant: each must be one that the environment has, or can have."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from components.google.reserved import system_namespaces
from infra import CONFIG_KEY
from infra.services import ServiceSettings
from infra.stack import StackConfig


def mistakes(
    stack: str, config: StackConfig, services: Mapping[str, ServiceSettings], catalog: Collection[str]
) -> Iterator[str]:
    """A line for each namespace that nobody creates.

    `catalog` has the names of all services: one that does not run here, or is in another group, is not an error.
    """
    previews = () if config.preview_namespaces is None else config.preview_namespaces.names()
    known = {*config.tenants, *catalog, *previews, *config.delivery_namespaces(), *system_namespaces()}
    for name, tenant in config.tenants.items():
        for caller in tenant.traffic.from_namespaces:
            if caller not in known:
                where = f"stacks/Pulumi.{stack}.yaml: {CONFIG_KEY}.tenants.{name}"
                if name in services:
                    where = services[name].file
                able = ", ".join(sorted({*config.tenants, *catalog} - {name})) or "none"
                yield (
                    f"{where}{'.' if name not in services else ': '}traffic.from_namespaces: there is no namespace "
                    f"{caller}; name a service or tenant ({able}), or remove it"
                )
