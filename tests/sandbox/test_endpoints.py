"""Google's endpoints on loopback: what a token may do in the registry, and how the registry refuses."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import grpc
import pytest
from rich.console import Console

from atwork.errors import SandboxError
from atwork.sandbox.clusters.node.registry import NodeRegistry
from atwork.sandbox.endpoints import Endpoints, RegistryFault, TokenHolder, serve, write_certificates
from atwork.toolchain import programs

HOST = "europe-docker.pkg.dev"
READ, WRITE = (f"artifactregistry.repositories.{verb}Artifacts" for verb in ("download", "upload"))
CLUSTER = "projects/p/locations/europe-west1/clusters/one"
AUDIENCE = f"identitynamespace:p.svc.id.goog:https://container.googleapis.com/v1/{CLUSTER}"
WRITER = TokenHolder("serviceAccount:a", {"acme/candidates": [READ, WRITE], "acme/services": [READ, WRITE]})
READER = TokenHolder("serviceAccount:b", {"acme/candidates": [READ]})


@dataclass(frozen=True)
class Client:
    """crane, with the endpoints as its proxy."""

    crane: Path
    endpoints: Endpoints
    folder: Path

    def run(self, token: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command with the login of a token; without a token, with none."""
        login = base64.b64encode(f"oauth2accesstoken:{token}".encode()).decode()
        (self.folder / "config.json").write_text(json.dumps({"auths": {HOST: {"auth": login}} if token else {}}))
        environment = {**self.endpoints.environment(), "DOCKER_CONFIG": str(self.folder), "HOME": str(self.folder)}
        command = [str(self.crane), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    def push(self, token: str, image: str, content: str = "an image") -> subprocess.CompletedProcess[str]:
        """Push an image with one file; the same content has the same digest, whenever it is pushed."""
        (self.folder / "file").write_text(content)
        subprocess.run(["tar", "--mtime=@0", "-cf", "layer.tar", "file"], cwd=self.folder, check=True)
        return self.run(token, "append", "--new_layer", str(self.folder / "layer.tar"), "--new_tag", f"{HOST}/{image}")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    console = Console(stderr=True)
    crane, _ = programs.registry(console)
    endpoints = Endpoints(
        tmp_path / "endpoints", HOST, "europe", ("acme/services",), {}, {"writer": WRITER, "reader": READER}
    )
    with serve(programs.google_endpoints(console), endpoints):
        yield Client(crane, endpoints, tmp_path)


def test_a_writer_pushes_and_a_reader_pulls(client: Client) -> None:
    assert client.push("writer", "acme/candidates/orders:1").returncode == 0
    pulled = client.run("reader", "digest", f"{HOST}/acme/candidates/orders:1")
    assert pulled.stdout.startswith("sha256:")


def test_a_reader_may_not_push(client: Client) -> None:
    refused = client.push("reader", "acme/candidates/orders:1")
    assert refused.returncode != 0
    resource = "projects/acme/locations/europe/repositories/candidates"
    assert f'DENIED: Permission "{WRITE}" denied on resource "{resource}"' in refused.stderr.replace("\\", "")
    assert client.run("reader", "ls", f"{HOST}/acme/candidates/orders").returncode != 0  # nothing was left behind


def test_a_repository_without_a_grant_is_not_read(client: Client) -> None:
    assert client.push("writer", "acme/services/orders:1").returncode == 0
    refused = client.run("reader", "digest", f"{HOST}/acme/services/orders:1")
    assert "403 Forbidden" in refused.stderr
    copied = client.run("reader", "copy", f"{HOST}/acme/services/orders:1", f"{HOST}/acme/candidates/orders:1")
    assert "DENIED" in copied.stderr


@pytest.mark.parametrize("token", ["", "stolen"])
def test_nobody_reads_without_a_valid_token(client: Client, token: str) -> None:
    assert client.push("writer", "acme/candidates/orders:1").returncode == 0
    refused = client.run(token, "digest", f"{HOST}/acme/candidates/orders:1")
    assert refused.returncode != 0
    assert "UNAUTHORIZED: Unauthenticated request" in refused.stderr


def test_a_released_tag_never_moves(client: Client) -> None:
    assert client.push("writer", "acme/services/orders:1").returncode == 0
    assert client.push("writer", "acme/services/orders:1").returncode == 0  # the same content
    assert "tag immutability" in client.push("writer", "acme/services/orders:1", "other content").stderr
    for content in ("one", "two"):
        assert client.push("writer", "acme/candidates/orders:1", content).returncode == 0


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_fault_of_the_registry_is_one_of_the_client(client: Client, status: int) -> None:
    client.endpoints.faults = (RegistryFault("PUT", "/manifests/", status),)
    client.endpoints.save()
    assert HTTPStatus(status).phrase in client.push("writer", "acme/candidates/orders:1").stderr
    client.endpoints.faults = ()
    client.endpoints.save()
    assert client.run("writer", "ls", f"{HOST}/acme/candidates/orders").returncode != 0  # no tag without its manifest
    assert client.push("writer", "acme/candidates/orders:1").returncode == 0


def stalled_connection(client: Client, host: str = HOST) -> closing[http.client.HTTPSConnection]:
    """A connection through the proxy on which a test sends requests in parts."""
    proxy, port = client.endpoints.proxy.split(":")
    authority = ssl.create_default_context(cafile=client.endpoints.folder / "ca.crt")
    connection = http.client.HTTPSConnection(proxy, int(port), context=authority, timeout=60)
    connection.set_tunnel(host, 443)
    return closing(connection)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_upload_that_stalls_holds_up_no_other(client: Client, method: str) -> None:
    with stalled_connection(client) as stalled:
        login = {"Authorization": "Bearer writer"}
        stalled.request("POST", "/v2/acme/candidates/stalled/blobs/uploads/", headers=login)
        begun = stalled.getresponse()
        begun.read()
        stalled.putrequest(method, f"{begun.headers['Location']}?digest=sha256:{hashlib.sha256(b'whole').hexdigest()}")
        stalled.putheader("Authorization", "Bearer writer")
        stalled.putheader("Content-Length", str(len("whole")))
        stalled.endheaders(b"who")
        assert client.push("writer", "acme/candidates/orders:1").returncode == 0
        stalled.send(b"le")
        with stalled.getresponse() as ended:
            assert ended.status in {HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}


def test_an_answer_that_begins_before_the_end_of_the_request_arrives_whole(client: Client) -> None:
    pieces, size = 100, 100 * len("piece")
    begin, end = b"o" * (1 << 16), b"k"  # more than a server collects before it begins to answer
    received: list[bytes] = []

    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as request:
            while request.readline().strip():
                pass
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(begin + end) + begin)
            received.append(request.read(size))
            connection.sendall(end)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = "storage.googleapis.com"
        client.endpoints.services = {host: f"http://127.0.0.1:{listener.getsockname()[1]}"}
        write_certificates(client.endpoints.folder, client.endpoints)
        client.endpoints.save()
        server = threading.Thread(target=answer, args=(listener,), daemon=True)
        server.start()
        with stalled_connection(client, host) as connection:
            connection.putrequest("DELETE", "/")
            connection.putheader("Authorization", "Bearer writer")
            connection.putheader("Content-Length", str(size))
            connection.endheaders()
            for _ in range(pieces):
                connection.send(b"piece")
                time.sleep(0.001)  # else one read takes them all
            with connection.getresponse() as whole:
                assert whole.read() == begin + end
        server.join()
    assert received == [b"piece" * pieces]


def test_a_manifest_of_an_immutable_repository_that_stalls_holds_up_no_other(client: Client) -> None:
    with stalled_connection(client) as stalled:
        stalled.putrequest("PUT", "/v2/acme/services/stalled/manifests/1")
        stalled.putheader("Authorization", "Bearer writer")
        stalled.putheader("Content-Length", "2")
        stalled.endheaders(b"{")
        assert client.push("writer", "acme/candidates/orders:1").returncode == 0
        stalled.send(b"}")
        with stalled.getresponse() as ended:
            assert ended.status == HTTPStatus.CREATED


def test_the_registry_of_nodes_keeps_images_and_asks_who_a_node_is(tmp_path: Path) -> None:
    console = Console(stderr=True)
    program, registry = programs.google_endpoints(console), NodeRegistry(tmp_path / "registry")
    try:
        registry.start(program)
        rights = tmp_path / "rights.json"
        token = registry.admit("one", ["cat", str(rights)]).token
        with registry.session(Endpoints(tmp_path, HOST, "europe", (), {}, {"writer": WRITER})) as endpoints:
            client = Client(programs.registry(console)[0], endpoints, tmp_path)
            assert client.push("writer", "acme/services/web:1").returncode == 0
            assert "another command uses the registry" in _second(registry, endpoints)
        refused = client.run(token, "digest", f"{HOST}/acme/services/web:1")
        assert "500" in refused.stderr  # the command fails
        rights.write_text(json.dumps({"principal": "serviceAccount:n", "registry": {"acme/services": [READ]}}))
        registry.stop()
        registry.start(program)
        assert client.run(token, "digest", f"{HOST}/acme/services/web:1").stdout.startswith("sha256:")
        assert client.run("writer", "digest", f"{HOST}/acme/services/web:1").returncode  # the session has ended
        registry.dismiss("one")
        assert client.run(token, "digest", f"{HOST}/acme/services/web:1").returncode
    finally:
        registry.remove()
    assert not registry.folder.exists()


def test_pods_of_a_node_exchange_their_token_and_read_secrets(tmp_path: Path) -> None:
    registry, answer = NodeRegistry(tmp_path / "registry"), tmp_path / "answer.json"
    try:
        registry.start(programs.google_endpoints(Console(stderr=True)))
        registry.admit("one", ["false"], CLUSTER, ["cat", str(answer)])
        assert _exchange(registry, AUDIENCE.replace("clusters/one", "clusters/two"))[0] == HTTPStatus.BAD_REQUEST
        answer.write_text(json.dumps({"refusal": "UNAUTHENTICATED", "message": "the token is not one of a pod"}))
        status, body = _exchange(registry, AUDIENCE)
        assert (status, "the token is not one of a pod" in body["error_description"]) == (HTTPStatus.UNAUTHORIZED, True)
        answer.write_text(json.dumps({"principal": "serviceAccount:p.svc.id.goog[shop/web]"}))
        token = str(_exchange(registry, AUDIENCE)[1]["access_token"])
        answer.write_text(json.dumps({"name": "the-version", "data": base64.b64encode(b"the-value").decode()}))
        assert "the-value" in _secret(registry, token)
        assert "UNAUTHENTICATED" in _secret(registry, "of nobody")
        answer.write_text(json.dumps({"refusal": "NOT_FOUND", "message": "Secret Version [a] not found."}))
        assert "NOT_FOUND: Secret Version [a] not found." in _secret(registry, token)
        answer.unlink()
        assert "INTERNAL: the simulated cloud does not answer" in _secret(registry, token)
    finally:
        registry.remove()


def _exchange(registry: NodeRegistry, audience: str) -> tuple[int, dict[str, str]]:
    """The answer of the exchange of tokens to a pod's."""
    host, port = registry.endpoints("", ()).proxy.split(":")
    context = ssl.create_default_context(cafile=str(registry.folder / "ca.crt"))
    with closing(http.client.HTTPSConnection(host, int(port), context=context, timeout=60)) as connection:
        connection.set_tunnel("securetoken.googleapis.com", 443)
        body = json.dumps({"audience": audience, "subject_token": "that of a pod"})
        connection.request("POST", "/v1/identitybindingtoken", body)
        with connection.getresponse() as answer:
            return answer.status, json.loads(answer.read())


def _secret(registry: NodeRegistry, token: str) -> str:
    """What Secret Manager answers to the holder of a token: a message of gRPC, or code and text of an error."""
    proxy = registry.endpoints("", ()).proxy
    trusted = grpc.ssl_channel_credentials((registry.folder / "ca.crt").read_bytes())
    options = [("grpc.http_proxy", f"http://{proxy}"), ("grpc.enable_http_proxy", 1)]
    with grpc.secure_channel("secretmanager.googleapis.com:443", trusted, options) as channel:
        call = channel.unary_unary("/google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion")
        try:
            return call(b"", metadata=(("authorization", f"Bearer {token}"),), timeout=60).decode(errors="replace")
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"


def _second(registry: NodeRegistry, endpoints: Endpoints) -> str:
    """The refusal of a second session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("atwork.sandbox.clusters.node.registry._SESSION_SECONDS", 0)
        with pytest.raises(SandboxError) as refused, registry.session(endpoints):
            pass
    return str(refused.value)


def test_other_hosts_are_not_reached(client: Client) -> None:
    refused = client.run("writer", "digest", "index.docker.io/library/python:3")
    assert "index.docker.io is no endpoint of the sandbox" in refused.stderr


def test_a_change_of_grants_holds_for_the_next_request(client: Client) -> None:
    client.endpoints.holders["writer"] = READER
    client.endpoints.save()
    assert "DENIED" in client.push("writer", "acme/candidates/orders:1").stderr
