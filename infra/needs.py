"""What an environment needs of each limit, from its settings with all services that run in it.

Every number is the most that the settings permit: all pods that the namespaces' quotas allow, all nodes of all pools.
Nodes and pods that GKE runs for itself are not counted, nor node pools that it adds by autoprovisioning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components import redis
from components.cluster_access import CONNECT_ROLE
from components.cluster_settings import SECRET_ROTATION_SECONDS
from components.database_administrator import ACCOUNT
from components.database_login import INSTANCE_ROLES, login_account_id
from components.database_settings import DatabaseSettings
from components.gateway.names import IAP_ROLE
from components.node_account import NODE_ROLES, STREAMING_ROLE, node_account_id
from components.node_pool import NodePoolSettings
from infra import limits
from infra.deployers import DEPLOYER, PREVIEW_DEPLOYER
from infra.environment import physical_name
from infra.limits import Limit
from infra.stack import StackConfig


@dataclass(frozen=True)
class Need:
    """What settings need of one limit."""

    name: str
    """What is counted, in the plural."""
    count: int
    most: int
    source: str
    fix: str
    adjustable: bool = False

    @classmethod
    def of(cls, limit: Limit, count: int) -> Need:
        """The need of a limit that is the same for everybody."""
        return cls(limit.name, count, limit.most, limit.source, limit.fix, limit.adjustable)

    @property
    def exceeded(self) -> bool:
        """Whether more is needed than the limit allows."""
        return self.count > self.most

    def __str__(self) -> str:
        """Numbers, fix and source in one line."""
        return f"{self.numbers}; {self.fix} ({self.source})"

    @property
    def numbers(self) -> str:
        """What is needed and what is allowed."""
        kind = "default" if self.adjustable else "limit"
        return f"up to {self.count:,} {self.name}, and the {kind} is {self.most:,}"


def needs(name: str, config: StackConfig) -> Iterator[Need]:
    """The need of every limit; `config` includes the services that run in the environment `name`."""
    yield Need.of(limits.SERVICE_ACCOUNTS, len(service_accounts(name, config)))
    yield Need.of(limits.PRINCIPALS, len(grants(name, config)))
    yield from sizes(config)


def sizes(config: StackConfig) -> Iterator[Need]:
    """The needs that follow from the settings alone, whatever else is in the project."""
    nodes = sum(map(_nodes, config.node_pools.values()))
    yield Need.of(limits.NODES, nodes)
    yield from _addresses(config, nodes)
    yield from _pods(config)
    yield Need.of(limits.SERVICE_ADDRESSES, len(config.tenants) + _preview_namespaces(config))
    yield Need.of(limits.SECRET_ACCESSES, _secret_accesses(config))
    for key, database in config.databases.items():
        yield from _connections(key, database, config)


def service_accounts(name: str, config: StackConfig) -> set[str]:
    """IDs of the service accounts that the program creates in an environment's project."""
    names = {login_account_id(user) for database in config.databases.values() for user in database.users}
    names.add(node_account_id(physical_name(name)))
    if config.databases:
        names.add(ACCOUNT)
    if config.upstream is not None:
        names.add(DEPLOYER)
    if config.preview_namespaces is not None:
        names.add(PREVIEW_DEPLOYER)
    return names | {login for tenant in config.redis() for login in config.redis_logins(tenant).values()}


def grants(name: str, config: StackConfig) -> set[tuple[str, str]]:
    """Roles with their members that the program adds to the allow policy of an environment's project."""
    project = config.project.id

    def account(name: str) -> str:
        return f"serviceAccount:{name}@{project}.iam.gserviceaccount.com"

    connect = f"projects/{project}/roles/{CONNECT_ROLE}"
    nodes = account(node_account_id(physical_name(name)))
    pairs = {(role, nodes) for role in NODE_ROLES}
    if config.cluster.image_streaming:
        pairs.add((STREAMING_ROLE, nodes))
    if config.cluster.admin_group is not None:
        pairs.add((connect, f"group:{config.cluster.admin_group}"))
    if config.gateway is not None and config.gateway.iap is not None:
        pairs |= {(IAP_ROLE, f"group:{group}") for group in config.gateway.iap.groups}
    if config.upstream is not None:
        pairs.add((connect, account(DEPLOYER)))
    if config.preview_namespaces is not None:
        pairs.add((connect, account(PREVIEW_DEPLOYER)))
    logins = {login_account_id(user) for database in config.databases.values() for user in database.users}
    if config.databases:
        logins.add(ACCOUNT)
    for tenant in config.redis():
        pairs |= {(redis.CONNECT_ROLE, account(login)) for login in config.redis_logins(tenant).values()}
    return pairs | {(role, account(login)) for login in logins for role in INSTANCE_ROLES}


def _nodes(pool: NodePoolSettings) -> int:
    """The most nodes of a pool: an upgrade adds one, or a second set of all."""
    return pool.max_nodes * 2 if pool.upgrade == "blue-green" else pool.max_nodes + 1


def _nodes_of_ranges(config: StackConfig) -> int:
    """Nodes that the pods' ranges have room for."""
    blocks = [block for key, block in config.network.ranges().items() if key not in ("nodes", "proxies")]
    return sum(2 ** (limits.PREFIX_OF_A_NODE - block.prefixlen) for block in blocks)


def _addresses(config: StackConfig, nodes: int) -> Iterator[Need]:
    yield Need(
        f"nodes with a /{limits.PREFIX_OF_A_NODE} of network.pods and network.extra_pods each",
        nodes,
        _nodes_of_ranges(config),
        limits.PODS_OF_A_NODE.source,
        "add a range to network.extra_pods, or lower node_pools.NAME.max_nodes",
    )
    existing = config.network.existing is not None  # its endpoints are in the subnets that its owner chose
    yield Need(
        f"addresses of network.nodes for nodes{'' if existing else ' and endpoints of databases and Redis'}",
        nodes + _internal_addresses(config) + (0 if existing else _endpoints(config)),
        config.network.ranges()["nodes"].num_addresses - limits.RESERVED_ADDRESSES,
        limits.SUBNET_SIZES,
        "lower node_pools.NAME.max_nodes, or choose a larger range for a new environment",
    )


def _internal_addresses(config: StackConfig) -> int:
    """Addresses of the gateway in the nodes' subnet."""
    return int(config.gateway is not None and config.gateway.internal is not None)


def _endpoints(config: StackConfig) -> int:
    return config.network.database_endpoints + config.network.redis_endpoints


def _pods(config: StackConfig) -> Iterator[Need]:
    pods = sum(tenant.size.quota.pods for tenant in config.tenants.values())
    if config.preview_namespaces is not None:
        pods += config.preview_namespaces.count * config.preview_namespaces.size.quota.pods
    yield Need.of(limits.PODS, pods)
    limit = limits.PODS_OF_A_NODE
    room, fix = _nodes_of_ranges(config), "add a range to network.extra_pods, or lower size.quota.pods of services"
    pools = sum(pool.max_nodes for pool in config.node_pools.values())
    if config.cluster.autoprovisioning is None and pools < room:
        room, fix = pools, limit.fix
    yield Need(
        f"pods by the quotas of all namespaces on {room:,} nodes with {limit.most} pods each",
        pods,
        room * limit.most,
        limit.source,
        fix,
    )


def _preview_namespaces(config: StackConfig) -> int:
    return 0 if config.preview_namespaces is None else config.preview_namespaces.count


def _secret_accesses(config: StackConfig) -> int:
    """Each pod reads each secret of its namespace again after each interval; in a minute, rounded up.

    So does secret sync for each namespace behind the Identity-Aware Proxy with an OAuth client, at most all of them.
    """
    reads = sum(len(tenant.secrets) * tenant.size.quota.pods for tenant in config.tenants.values())
    if config.iap_client is not None:
        reads += len(config.tenants) + _preview_namespaces(config) + int(config.jenkins_behind_proxy)
    return -(-reads * 60 // SECRET_ROTATION_SECONDS)


def _connections(key: str, database: DatabaseSettings, config: StackConfig) -> Iterator[Need]:
    stated = database.flags.get("max_connections", "")
    most = int(stated) if stated.isdecimal() else limits.CONNECTIONS.get(database.tier)
    if most is None:
        return
    namespaces = {user.namespace for user in database.users.values()}
    yield Need(
        f"connections to databases.{key}, one for each pod of a service with a login",
        sum(config.tenants[namespace].size.quota.pods for namespace in namespaces),
        most,
        "https://cloud.google.com/sql/docs/postgres/flags",
        f"raise databases.{key}.flags.max_connections with a larger tier, or add an instance",
    )
