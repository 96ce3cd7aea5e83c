"""Cloud SQL and Memorystore for the pods of a node: at one address, which a program of this machine answers.

The address is in the range of the environment's nodes, where private endpoints are and where network policies let pods
connect to. `atwork.pipeline.node_data` decides which instance a pod reaches, and whether it may.

Pods have no metadata server here, so their clients cannot log in by IAM: variables of the service template lead them to
this address without a login, and the program takes the address of the pod for it.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atwork.checkout import Checkout
from components.redis import PORT as REDIS_PORT
from components.tenant import CONNECTOR_PORT

SQL_PORT = CONNECTOR_PORT
"""The one that network policies allow, although no connector is used."""

INSTANCE, REDIS = "DATABASE_INSTANCE", "REDIS_AUTH"
"""Variables of namespaces with a database, and with a Redis of Google (components/service.py)."""


@dataclass(frozen=True)
class DataServices:
    """What an environment's node knows of them."""

    address: ipaddress.IPv4Address
    command: tuple[str, ...]
    """The program that answers."""
    ports: tuple[int, ...] = (SQL_PORT, REDIS_PORT)

    @classmethod
    def of(cls, checkout: Path, environment: str, cluster: str) -> DataServices | None:
        """Those of an environment whose GKE cluster has this ID; None for one without a stack file."""
        from infra.config import read_all

        settings = read_all(Checkout(checkout).stacks).get(environment)
        if settings is None:
            return None
        words = (sys.executable, "-P", "-m", "atwork.pipeline.node_data", str(checkout), cluster)
        return cls(ipaddress.IPv4Network(settings.network.nodes)[-2], words)

    def variables(self) -> Mapping[str, tuple[str, str]]:
        """Variables of pods: whether they are set and to what, as expressions with the parameters of the policy."""
        sql, redis = (f"'{name}' in params.data" for name in (INSTANCE, REDIS))
        login = f"'postgresql://' + params.data.DATABASE_USER.replace('@', '%40') + '@{self.address}:{SQL_PORT}/'"
        return {
            "DATABASE_URL": (sql, f"{login} + params.data.DATABASE_NAME"),
            "REDIS_URL": (redis, f"'redis://{self.address}:{REDIS_PORT}/0'"),
            "REDIS_AUTH": (redis, "''"),
            "REDIS_CA": (redis, "''"),
        }
