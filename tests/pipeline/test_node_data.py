"""Which pods of a node reach Cloud SQL and Memorystore, without a node: their servers are sockets of the test."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from atwork.access.binding import Binding
from atwork.access.model import AccessModel
from atwork.containers.network import Forwarder
from atwork.errors import SandboxError
from atwork.pipeline import callers as callers_module
from atwork.pipeline.callers import Callers
from atwork.pipeline.node_data import NodeData
from atwork.pipeline.service_databases import ServiceDatabases
from atwork.pipeline.service_redis import ServiceRedis
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.blocked import BLOCKED
from components.identity import ANNOTATION

EMAIL = "stock-sql@acme.iam.gserviceaccount.com"
USER = "stock-sql@acme.iam"
POD = "serviceAccount:acme.svc.id.goog[stock/stock]"
INSTANCE = "projects/acme/locations/europe-west1/instances/stock-redis"
FACTS = {"DATABASE_INSTANCE": "acme:europe-west1:main-1", "REDIS_URL": "rediss://10.0.15.7:6379/0", "REDIS_AUTH": "iam"}
GRANTS = {
    ("roles/iam.workloadIdentityUser", POD, f"projects/acme/serviceAccounts/{EMAIL}"),
    ("roles/cloudsql.client", f"serviceAccount:{EMAIL}", "projects/acme"),
    ("roles/cloudsql.instanceUser", f"serviceAccount:{EMAIL}", "projects/acme"),
    ("roles/memorystore.dbConnectionUser", f"serviceAccount:{EMAIL}", "projects/acme"),
}


@dataclass
class Cluster:
    """The API server, with one pod."""

    pods: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    facts: dict[str, str] = field(default_factory=lambda: dict(FACTS))
    annotations: dict[str, str] = field(default_factory=lambda: {ANNOTATION: EMAIL})
    asked: list[str] = field(default_factory=list[str])
    annotated: list[str | None] = field(default_factory=list["str | None"])

    def all(self, path: str, **query: str) -> list[dict[str, Any]]:
        assert path == "/api/v1/pods"
        self.asked.append(query["fieldSelector"])
        return self.pods

    def merge(self, path: str, change: dict[str, Any]) -> None:
        assert path == "/api/v1/namespaces/stock/pods/stock-1"
        self.annotated.append(change["metadata"]["annotations"][BLOCKED])

    def place(self, _: str, kind: str) -> str:
        return kind

    def get(self, place: str, namespace: str, name: str) -> dict[str, Any] | None:
        objects = {
            ("ServiceAccount", "stock", "stock"): {"metadata": {"annotations": self.annotations}},
            ("ConfigMap", "stock", "platform"): {"data": self.facts},
        }
        return objects.get((place, namespace, name))


@dataclass
class World:
    """Ports of a node, and what connections to them get."""

    cluster: Cluster
    grants: set[tuple[str, str, str]]
    server: socket.socket
    sql: tuple[str, int]
    redis: tuple[str, int]
    wanted: list[str]

    def answer(self, port: tuple[str, int], message: bytes) -> bytes:
        """All that a refused client reads."""
        with socket.create_connection(port, timeout=10) as client:
            client.sendall(message)
            client.shutdown(socket.SHUT_WR)
            parts: list[bytes] = []
            while part := client.recv(1000):
                parts.append(part)
            return b"".join(parts)

    def received(self, port: tuple[str, int], message: bytes) -> bytes:
        """What the server gets of a client that is accepted."""
        self.server.settimeout(10)
        with socket.create_connection(port, timeout=10) as client:
            client.sendall(message)
            client.shutdown(socket.SHUT_WR)
            accepted, _ = self.server.accept()
            with accepted:
                accepted.settimeout(10)
                parts: list[bytes] = []
                while part := accepted.recv(1000):
                    parts.append(part)
                return b"".join(parts)


def pod(phase: str = "Running", name: str = "stock-1") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "stock"}
    return {"metadata": metadata, "spec": {"serviceAccountName": "stock"}, "status": {"phase": phase}}


def first(user: str, database: str = "stock") -> bytes:
    """A startup message of PostgreSQL."""
    body = b"".join(f"{key}\0{value}\0".encode() for key, value in {"user": user, "database": database}.items()) + b"\0"
    return struct.pack("!II", 8 + len(body), 196608) + body


@pytest.fixture
def world() -> Iterator[World]:
    cluster, grants, wanted = Cluster([pod("Succeeded", "stock-0"), pod()]), set(GRANTS), list[str]()
    server, sql, redis = (socket.create_server(("127.0.0.1", 0)) for _ in range(3))

    def connect(_: object, name: str = "") -> socket.socket:
        wanted.append(name or str(_))
        return socket.create_connection(server.getsockname())

    def instance(_: str) -> str:
        return INSTANCE

    def model() -> AccessModel:
        bindings = tuple(Binding(role=role, member=member, resource=resource) for role, member, resource in grants)
        return AccessModel(
            bindings, resources=frozenset({"projects/acme", f"projects/acme/serviceAccounts/{EMAIL}", INSTANCE})
        )

    api = cast("Api", cluster)
    databases = cast("ServiceDatabases", SimpleNamespace(connect=connect))
    stores = cast("ServiceRedis", SimpleNamespace(connect=connect, instance=instance))
    data = NodeData(api, Callers(api, "acme", model), databases, stores)
    addresses = sql.getsockname(), redis.getsockname()
    with closing(Forwarder()) as forwarder, server:
        forwarder.answer(sql, data.accept_sql)
        forwarder.answer(redis, data.accept_redis)
        yield World(cluster, grants, server, *addresses, wanted)


def test_a_pod_reaches_the_database_of_its_namespace_as_the_user_of_its_account(world: World) -> None:
    assert world.received(world.sql, first(USER) + b"and more") == first(USER) + b"and more"
    assert world.wanted == ["acme:europe-west1:main-1"]
    assert world.cluster.asked == ["status.podIP=127.0.0.1,spec.nodeName=real-0"]


def test_encryption_is_declined_and_the_client_goes_on(world: World) -> None:
    with socket.create_connection(world.sql, timeout=10) as client:
        client.sendall(struct.pack("!II", 8, 80877103))
        assert client.recv(10) == b"N"
        client.sendall(first(USER))
        accepted, _ = world.server.accept()
        with accepted:
            assert accepted.recv(1000) == first(USER)
            client.shutdown(socket.SHUT_WR)
            assert accepted.recv(1000) == b""


def test_a_request_to_cancel_a_query_has_no_user(world: World) -> None:
    message = struct.pack("!IIII", 16, 80877102, 1, 2)
    assert world.received(world.sql, message) == message


@pytest.mark.parametrize("role", sorted(role for role, *_ in GRANTS if "memorystore" not in role))
def test_without_one_of_its_grants_a_pod_does_not_reach_its_database(world: World, role: str) -> None:
    world.grants -= {grant for grant in world.grants if grant[0] == role}
    answer = world.answer(world.sql, first(USER))
    assert answer[:1] == b"E"
    missing = {
        "roles/cloudsql.client": b"Possibly missing permission cloudsql.instances.connect on resource projects/acme",
        "roles/cloudsql.instanceUser": b"Possibly missing permission cloudsql.instances.login on resource "
        b"projects/acme",
        "roles/iam.workloadIdentityUser": b"'iam.serviceAccounts.getAccessToken' denied on " + EMAIL.encode(),
    }
    assert missing[role] in answer
    assert b"C28000\0" in answer
    assert world.wanted == []
    [reason] = world.cluster.annotated
    assert reason is not None
    assert reason.startswith("Cloud SQL: ")
    assert reason.encode().partition(b": ")[2] in answer


@pytest.mark.parametrize("user", ["postgres", "other-sql@acme.iam", EMAIL, ""])
def test_a_pod_logs_in_as_no_other_user(world: World, user: str) -> None:
    answer = world.answer(world.sql, first(user))
    why = f'IAM service account authentication failed for user "{user}": stock/stock-1 acts as {EMAIL}'
    assert why.encode() in answer
    assert world.wanted == []


def test_a_pod_without_a_google_account_logs_in_as_nobody(world: World) -> None:
    world.cluster.annotations = {}
    assert b"Possibly missing permission cloudsql.instances.get" in world.answer(world.sql, first(""))
    assert world.wanted == []


@pytest.mark.parametrize(
    "message", [b"GET / HTTP/1.1\r\n\r\n", struct.pack("!II", 7, 0), struct.pack("!II", 1 << 30, 0)]
)
def test_another_protocol_ends_without_an_answer(world: World, message: bytes) -> None:
    assert world.answer(world.sql, message) == b""


def test_a_namespace_without_a_database_gets_the_reason(world: World) -> None:
    world.cluster.facts = {}
    assert b"the namespace of stock/stock-1 has no DATABASE_INSTANCE" in world.answer(world.sql, first(USER))
    assert world.answer(world.redis, b"PING\r\n") == b"-NOPERM the namespace of stock/stock-1 has no REDIS_AUTH\r\n"


def test_an_address_of_no_pod_gets_the_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers_module, "_SECONDS", 0.0)
    world.cluster.pods = [pod("Succeeded")]
    assert b"no pod has the address 127.0.0.1" in world.answer(world.sql, first(USER))


def test_a_client_reads_why_a_database_does_not_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def at(_: Callers, __: str) -> None:
        raise SandboxError("postgres does not start: no space left on device")

    monkeypatch.setattr(Callers, "at", at)
    answer = world.answer(world.sql, first(USER))
    assert b"no space left on device" in answer
    assert b"C08006\0" in answer


def test_a_pod_reaches_the_redis_of_its_namespace(world: World) -> None:
    assert world.received(world.redis, b"PING\r\n") == b"PING\r\n"
    assert world.wanted == ["rediss://10.0.15.7:6379/0"]
    assert world.cluster.annotated == []


def test_a_pod_that_is_accepted_is_no_longer_reported(world: World) -> None:
    world.cluster.pods[1]["metadata"]["annotations"] = {BLOCKED: "Cloud SQL: no"}
    world.received(world.redis, b"PING\r\n")
    assert world.cluster.annotated == [None]


def test_without_its_grant_a_pod_does_not_reach_redis(world: World) -> None:
    world.grants -= {grant for grant in world.grants if "memorystore" in grant[0]}
    why = f"Possibly missing permission memorystore.instances.connect on resource {INSTANCE} (serviceAccount:{EMAIL})"
    assert world.answer(world.redis, b"PING\r\n").decode() == f"-NOPERM Not authorized to access resource. {why}\r\n"
    assert world.wanted == []
