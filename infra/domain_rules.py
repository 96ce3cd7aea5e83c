"""Rules about names that people reach: a domain has one zone and one certificate, which are one environment's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infra import CONFIG_KEY
from infra.services import ServiceSettings
from infra.stack import StackConfig


def domains(environments: Mapping[str, StackConfig]) -> Iterator[str]:
    """Domains that two environments have, or Jenkins in another one."""
    seen: dict[str, str] = {}
    for name, config in environments.items():
        if config.gateway is None:
            continue
        other = seen.setdefault(config.gateway.domain, name)
        if other != name:
            yield (
                f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.gateway.domain: {config.gateway.domain} is the domain of "
                f"{other} already; choose another"
            )
    for name, config in environments.items():
        if (other := seen.get(config.preview_domain or "")) is not None:
            yield (
                f"stacks/Pulumi.{other}.yaml: {CONFIG_KEY}.gateway.domain: {config.preview_domain} is the domain of "
                f"preview namespaces of {name}; choose another"
            )
        for host in config.delivery_hosts():
            if (other := seen.get(host, name)) != name:
                yield (
                    f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.{config.delivery_key}.hostname: {host} is the domain of "
                    f"{other}, whose zone answers; choose another"
                )


def hosts_elsewhere(environments: Mapping[str, StackConfig], services: Mapping[str, ServiceSettings]) -> Iterator[str]:
    """Hosts of services that are the domain of another environment: its zone answers for them."""
    owners = {config.gateway.domain: name for name, config in environments.items() if config.gateway is not None}
    for service in services.values():
        for name, place in service.environments.items():
            if (other := owners.get(place.host or "", name)) != name:
                yield (
                    f"{service.file}: environments.{name}.host: {place.host} is the domain of {other}, whose zone "
                    "answers; choose another"
                )
