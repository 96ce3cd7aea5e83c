"""Google's endpoints on loopback, under their real names: the container registry, API servers of clusters, other APIs.

Programs find them by the variables of a proxy, and trust them by the file of a certificate authority, so that
no name is resolved, no fixed port is used, and no address in a pipeline is changed.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from atwork.errors import SandboxError
from atwork.files import replace_file

NODE_HOSTS = ("securetoken.googleapis.com", "iamcredentials.googleapis.com", "secretmanager.googleapis.com")
"""What the program answers for the Secret Manager add-on of nodes (atwork/sandbox/node_google.py)."""


@dataclass(frozen=True)
class TokenHolder:
    """Who a token stands for, and what it may do."""

    principal: str
    registry: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Permissions of Artifact Registry, by PROJECT/REPOSITORY."""
    clusters: tuple[str, ...] = ()
    """Host names of the clusters whose API it reaches."""
    user: str = ""
    """Its name in Kubernetes."""


@dataclass(frozen=True)
class ClusterEndpoint:
    """Where the API server of a host name is, and the token with which the endpoint acts for others."""

    server: str
    authority: str
    token: str


@dataclass(frozen=True)
class RegistryFault:
    """An HTTP status with which the registry answers `times` requests (0: all) of a method and path (patterns).

    With the status 0, it does not answer until the client ends the connection.
    """

    method: str
    path: str
    status: int
    times: int = 0


@dataclass
class Endpoints:
    """Running endpoints; changes of their settings hold for the next request."""

    folder: Path
    registry: str
    location: str
    immutable: tuple[str, ...]
    """PROJECT/REPOSITORY of those whose tags never move."""
    clusters: Mapping[str, ClusterEndpoint]
    holders: dict[str, TokenHolder] = field(default_factory=dict[str, TokenHolder])
    """By token."""
    faults: tuple[RegistryFault, ...] = ()
    proxy: str = ""
    services: Mapping[str, str] = field(default_factory=dict[str, str])
    """Addresses of the servers of other APIs, by host name."""
    nodes: str = ""
    """File with the tokens of nodes that run pods (clusters/node/registry.py)."""

    def save(self) -> None:
        """Write the settings that the program reads."""
        settings = {
            "certificate": str(self.folder / "endpoints.crt"),
            "key": str(self.folder / "endpoints.key"),
            "registry": self.registry,
            "location": self.location,
            "immutable": list(self.immutable),
            "clusters": {host: asdict(cluster) for host, cluster in self.clusters.items()},
            "services": dict(self.services),
            "identities": {token: asdict(holder) for token, holder in self.holders.items()},
            "nodes": self.nodes,
            "faults": [asdict(fault) for fault in self.faults],
        }
        replace_file(self.folder / "endpoints.json", json.dumps(settings), mode=0o600)

    def environment(self) -> dict[str, str]:
        """The variables by which programs find and trust the endpoints."""
        authority = str(self.folder / "ca.crt")
        return {
            "HTTPS_PROXY": f"http://{self.proxy}",
            "https_proxy": f"http://{self.proxy}",
            "SSL_CERT_FILE": authority,
            "CURL_CA_BUNDLE": authority,
        }


@contextmanager
def serve(program: Path, endpoints: Endpoints) -> Generator[Endpoints]:
    """Serve endpoints until the end; the program ends with this process in any case. Images stay in the folder."""
    folder = endpoints.folder
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    write_certificates(folder, endpoints)
    endpoints.save()
    command = [str(program), "-settings", str(folder / "endpoints.json"), "-blobs", str(folder / "blobs")]
    with (folder / "endpoints.log").open("wb") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
    assert child.stdin is not None  # noqa: S101 (pipes were asked for)
    assert child.stdout is not None  # noqa: S101
    try:
        endpoints.proxy = child.stdout.readline().strip()
        if not endpoints.proxy:
            raise SandboxError(f"the endpoints of the sandbox do not start: {(folder / 'endpoints.log').read_text()}")
        yield endpoints
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()


def write_certificates(folder: Path, endpoints: Endpoints, *, keep: bool = False) -> None:
    """Write a certificate with the names of all hosts; with `keep`, of the authority that the folder has already."""
    import trustme

    kind, key, certificate = trustme.KeyType.ECDSA, folder / "ca.key", folder / "ca.crt"
    if keep and key.exists() and certificate.exists():
        authority = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    else:
        authority = trustme.CA(organization_name="atwork sandbox", key_type=kind)
    if keep:
        replace_file(key, authority.private_key_pem.bytes(), mode=0o600)
    apis = NODE_HOSTS if endpoints.nodes else ()
    hosts = [host for host in (endpoints.registry, *endpoints.clusters, *endpoints.services, *apis) if host]
    served = authority.issue_cert(*(hosts or ["localhost"]), key_type=kind)
    replace_file(certificate, authority.cert_pem.bytes())
    replace_file(folder / "endpoints.crt", b"".join(part.bytes() for part in served.cert_chain_pems))
    replace_file(folder / "endpoints.key", served.private_key_pem.bytes(), mode=0o600)
