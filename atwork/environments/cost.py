"""The monthly cost of an environment: a pure function of its settings and a price list.

The least is what runs when nobody uses it (the smallest node pools), the most when all pools and disks are full. What
has no price in the list is named, never taken for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from atwork.environments.prices import Group, Prices
from components.database_settings import DatabaseSettings
from components.google.memorystore import node_type
from components.node_pool import NodePoolSettings
from infra.stack import StackConfig

_GB_OF = {"standard": 4, "highmem": 8, "highcpu": 1}
_SHARED = {"e2-micro": (0.25, 1), "e2-small": (0.5, 2), "e2-medium": (1, 4)}
"""Machines that are billed as a part of a core: vCPUs, GB."""

_NAT_MACHINES = 32
"""Machines behind a gateway above which the price does not grow."""


@dataclass(frozen=True)
class CostLine:
    """Dollars a month, from the least to the most."""

    name: str
    least: float
    most: float


@dataclass(frozen=True)
class Estimate:
    """The priced items, and the names of unpriced items."""

    lines: tuple[CostLine, ...]
    unpriced: tuple[str, ...]

    @property
    def least(self) -> float:
        """Dollars a month when nobody uses it."""
        return sum(line.least for line in self.lines)

    @property
    def most(self) -> float:
        """Dollars a month when everything is full."""
        return sum(line.most for line in self.lines)


def estimate(config: StackConfig, prices: Prices) -> Estimate:
    """The lines of an environment."""
    lines: list[CostLine] = []
    unpriced: list[str] = []
    group = prices.of(config.region)
    hours = prices.hours_per_month
    fee = prices.cluster_hour.price * hours
    lines.append(CostLine("management of the cluster", fee, fee))
    for name, pool in config.node_pools.items():
        known, missing = _pool(name, pool, prices, group)
        lines += known
        unpriced += missing
    for name, database in config.databases.items():
        line = _database(name, database, prices)
        if line is None:
            unpriced.append(f"database {name} ({database.tier})")
        else:
            lines.append(line)
        unpriced += [f"replica {key} of database {name}" for key in database.replicas]
    if config.network.existing is None:
        lines.append(_nat(config, prices))
    if config.gateway is not None:
        # HTTPS, and HTTP for the redirect; a project pays the same for one rule and for five.
        fee = prices.forwarding_rules_hour.price * hours
        lines.append(CostLine("load balancer of the gateway", fee, fee))
    return Estimate(tuple(lines), (*unpriced, *_unpriced(config)))


def _pool(name: str, pool: NodePoolSettings, prices: Prices, group: Group | None) -> tuple[list[CostLine], list[str]]:
    lines: list[CostLine] = []
    missing: list[str] = []
    shape = size(pool.machine_type)
    family = None if group is None else group.machines.get(pool.machine_type.partition("-")[0])
    if shape is None or family is None:
        missing.append(f"node pool {name} ({pool.machine_type})")
    else:
        vcpus, gigabytes = shape
        each = (vcpus * family.vcpu_hour + gigabytes * family.gb_hour) * prices.hours_per_month
        each *= 1 - prices.spot_discount.share if pool.spot else 1
        kind = f"{pool.machine_type}{', spot' if pool.spot else ''}"
        lines.append(CostLine(f"node pool {name} ({kind})", each * pool.min_nodes, each * pool.max_nodes))
    rate = None if group is None else group.disks.get(pool.disk_type)
    if isinstance(rate, float):
        each = rate * pool.disk_size_gb
        lines.append(CostLine(f"boot disks of {name}", each * pool.min_nodes, each * pool.max_nodes))
    else:
        missing.append(f"boot disks of {name} ({pool.disk_type})")
    if pool.gpu is not None:
        missing.append(f"GPUs of {name} ({pool.gpu.count} {pool.gpu.type} in each node)")
    return lines, missing


def size(machine_type: str) -> tuple[float, float] | None:
    """vCPUs and GB of a machine type; None if its name does not contain them."""
    if machine_type in _SHARED:
        return _SHARED[machine_type]
    match = re.fullmatch(r"[a-z0-9]+-(standard|highmem|highcpu)-(\d+)", machine_type)
    return None if match is None else (int(match[2]), int(match[2]) * _GB_OF[match[1]])


def _database(name: str, settings: DatabaseSettings, prices: Prices) -> CostLine | None:
    match = re.fullmatch(r"db-custom-(\d+)-(\d+)", settings.tier)
    if match is None or settings.edition != "ENTERPRISE":
        return None
    of = prices.database
    machine = (int(match[1]) * of.vcpu_hour + int(match[2]) / 1024 * of.gb_hour) * prices.hours_per_month
    times = of.standby_factor if settings.high_availability else 1
    least, most = (machine + disk * of.ssd_gb_month for disk in (settings.disk_size_gb, settings.disk_limit_gb))
    return CostLine(f"database {name} ({settings.tier})", least * times, most * times)


def _nat(config: StackConfig, prices: Prices) -> CostLine:
    def month(machines: int) -> float:
        hour = prices.nat.most_hour if machines > _NAT_MACHINES else machines * prices.nat.vm_hour
        return hour * prices.hours_per_month

    pools = config.node_pools.values()
    return CostLine(
        "NAT gateway", month(sum(pool.min_nodes for pool in pools)), month(sum(pool.max_nodes for pool in pools))
    )


def _unpriced(config: StackConfig) -> Iterator[str]:
    """Resources of the environment without a price in the list."""
    yield from ("traffic", "logs and metrics", "private DNS zones", "load balancers and volumes of services")
    yield from _unpriced_of_services(config)
    if config.databases:
        yield "backups and private endpoints of databases"
    if config.network.existing is not None:
        yield "NAT, which the owner of the network pays"
    if config.network.nat.static_addresses:
        yield "reserved addresses"
    if config.cluster.autoprovisioning is not None:
        limits = config.cluster.autoprovisioning
        yield f"machines that services ask for beyond the pools (up to {limits.max_cpu} vCPUs)"
    if config.encryption.covers:
        yield "keys"
    if config.cluster_backup is not None:
        yield "backups of the cluster"
    if config.registry is not None:
        yield "images in the registry"
    if config.jenkins is not None:
        yield "the disk of Jenkins"


def _unpriced_of_services(config: StackConfig) -> Iterator[str]:
    for name, redis in config.redis().items():
        nodes = "1 node" if redis.replicas == 0 else f"{1 + redis.replicas} nodes"
        yield f"Redis of {name} ({node_type(redis.size_gb)}, {nodes})"
    if config.gateway is not None:
        firewall = " and firewall rules" if config.gateway.firewall is not None else ""
        yield f"public DNS zone{firewall} of the gateway"
        if config.gateway.internal is not None:
            yield "proxies of the gateway's internal load balancer"
    if any(tenant.secrets for tenant in config.tenants.values()):
        yield "secrets"
