"""The data stores of tests, where each is a native sidecar of the test's pod, and of preview namespaces.

Traps: probes use 127.0.0.1, because during their setup the images already answer on their Unix socket. A native sidecar
is an init container that keeps running: it is ready before the test starts, and a crash restarts it without ending the
build (its data is lost then). Each image has its own user.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.delivery import StoreName
from components.jenkins import sizes


@dataclass(frozen=True)
class Store:
    """How to start a data store, and how to know that it is ready."""

    user: int
    group: int
    data: str
    """Folder of its data, where a scratch volume is mounted."""
    probe: tuple[str, ...]
    port: int
    variable: str
    """Environment variable with its address in the pods of a service."""
    address: str
    """Value of the variable, with `{host}`."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    """Arguments that make it listen only in its own pod."""


# No passwords: in a test they listen only in the pod, and a preview namespace is closed to other namespaces.
STORES: Mapping[StoreName, Store] = {
    "postgres": Store(
        user=70,
        group=70,
        data="/var/lib/postgresql",
        probe=("pg_isready", "-h", "127.0.0.1", "-U", "postgres"),
        port=5432,
        variable="DATABASE_URL",
        address="postgresql://postgres@{host}:5432/postgres",
        environment={"POSTGRES_HOST_AUTH_METHOD": "trust", "PGDATA": "/var/lib/postgresql/pgdata"},
        # The data does not outlive the pod, so it need not reach the disk.
        arguments=("-c", "fsync=off", "-c", "full_page_writes=off"),
        alone=("-c", "listen_addresses=127.0.0.1"),
    ),
    "redis": Store(
        user=999,
        group=1000,
        data="/data",
        probe=("redis-cli", "-h", "127.0.0.1", "ping"),
        port=6379,
        variable="REDIS_URL",
        address="redis://{host}:6379/0",
        arguments=("--save", "", "--appendonly", "no", "--protected-mode", "no"),
        alone=("--bind", "127.0.0.1"),
    ),
    "mysql": Store(
        user=999,
        group=999,
        data="/var/lib/mysql",
        probe=("mysqladmin", "ping", "-h", "127.0.0.1", "--silent"),
        environment={"MYSQL_ALLOW_EMPTY_PASSWORD": "yes", "MYSQL_DATABASE": "test"},
        port=3306,
        variable="MYSQL_URL",
        address="mysql://root@{host}:3306/test",
        arguments=("--skip-log-bin",),
        alone=("--bind-address=127.0.0.1",),
    ),
}


def sidecar(name: StoreName, image: str) -> dict[str, Any]:
    """A pod spec that contains only the store."""
    store = STORES[name]
    container: dict[str, Any] = {
        "name": name,
        "image": image,
        "restartPolicy": "Always",
        "args": [*store.arguments, *store.alone],
        "env": [{"name": key, "value": value} for key, value in store.environment.items()],
        "startupProbe": {"exec": {"command": list(store.probe)}, "periodSeconds": 1, "failureThreshold": 120},
        "securityContext": {
            "runAsUser": store.user,
            "runAsGroup": store.group,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": sizes.tool(sizes.STORES[name]),
        "volumeMounts": [{"name": f"{name}-data", "mountPath": store.data}],
    }
    return {"initContainers": [container], "volumes": [{"name": f"{name}-data", "emptyDir": {"sizeLimit": "2Gi"}}]}


def shared(name: StoreName, image: str) -> dict[str, Any]:
    """Values of the chart in delivery/resources/preview: a store that all pods of a namespace share."""
    store = STORES[name]
    return {
        "image": image,
        "port": store.port,
        "user": store.user,
        "group": store.group,
        "data": store.data,
        "memory": sizes.STORES[name],
        "arguments": list(store.arguments),
        "environment": dict(store.environment),
        "probe": list(store.probe),
        "variable": store.variable,
        "address": store.address.format(host=name),
    }
