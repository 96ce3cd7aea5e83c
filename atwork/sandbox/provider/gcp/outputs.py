"""What Google Cloud computes: numbers, endpoints, certificates and e-mails that look real and never change."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.provider.package import Request, number, stable
from atwork.sandbox.provider.values import Json, block, reveal

CLUSTER = "gcp:container/cluster:Cluster"
_COMPUTE = "https://www.googleapis.com/compute/v1/"


def computed(request: Request, identity: str) -> dict[str, Json]:
    """The computed outputs of a type, over its inputs."""
    inputs = reveal(request.inputs)
    project = str(inputs.get("project") or request.config.get("project", ""))
    made: dict[str, Json] = {"id": identity}
    if request.token.startswith("gcp:compute/"):
        made["selfLink"] = f"{_COMPUTE}{identity}"
    if request.token in _TABLE:
        made |= _TABLE[request.token](inputs, project, identity)
    if ":RepositoryIamMember" in request.token or request.token.endswith(":IAMMember"):
        made["etag"] = base64.b64encode(bytes.fromhex(stable(identity, digits=16))).decode()
    return made


def project_number(project: str) -> str:
    """The number of a project that a stack created."""
    return number("project", project)


def servers(cluster: CloudObject) -> tuple[str, ...]:
    """Addresses of a cluster's API server, as they stand in a kubeconfig: by name, by number."""
    outputs = reveal(cluster.outputs)
    return tuple(
        f"https://{one}"
        for one in (outputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"], outputs["endpoint"])
    )


def at(outputs: dict[str, Json], endpoint: str) -> dict[str, Json]:
    """A cluster whose API server answers at an endpoint, HOST:PORT."""
    endpoints = outputs["controlPlaneEndpointsConfig"]
    by_name = {**endpoints["dnsEndpointConfig"], "endpoint": endpoint}
    return {"controlPlaneEndpointsConfig": {**endpoints, "dnsEndpointConfig": by_name}}


def _cluster(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    location = str(inputs.get("location", ""))
    endpoint = f"gke-{stable(identity, digits=32)}-{project_number(project)}.{location}.gke.goog"
    endpoints = block(inputs.get("controlPlaneEndpointsConfig"))
    endpoints["dnsEndpointConfig"] = {**block(endpoints.get("dnsEndpointConfig")), "endpoint": endpoint}
    auth = {**block(inputs.get("masterAuth")), "clusterCaCertificate": _authority(identity)}
    return {
        "controlPlaneEndpointsConfig": endpoints,
        "endpoint": _address(identity, "10"),
        "masterAuth": auth,
        "masterVersion": "1.35.4-gke.1000",
        "selfLink": f"https://container.googleapis.com/v1/{identity}",
        "servicesIpv4Cidr": "34.118.224.0/20",
    }


def _account(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    email = f"{inputs.get('accountId')}@{project}.iam.gserviceaccount.com"
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": identity,
        "uniqueId": number(identity, digits=21),
    }


def _instance(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    region = str(inputs.get("region", ""))
    short = stable(project, identity, digits=12)
    return {
        "connectionName": f"{project}:{region}:{identity}",
        "dnsName": f"{short}.{stable(project, digits=13)}.{region}.sql.goog.",
        "pscServiceAttachmentLink": f"projects/{stable(identity, digits=16)}-tp/regions/{region}/serviceAttachments/"
        f"a-{short}-psc-service-attachment-{short}",
        "selfLink": f"https://sqladmin.googleapis.com/sql/v1beta4/projects/{project}/instances/{identity}",
        "serviceAccountEmailAddress": f"p{project_number(project)}-{short[:6]}"
        "@gcp-sa-cloud-sql.iam.gserviceaccount.com",
    }


def _repository(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del identity
    return {
        "name": inputs.get("repositoryId"),
        "registryUri": f"{inputs.get('location')}-docker.pkg.dev/{project}/{inputs.get('repositoryId')}",
    }


def _network(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del inputs, project
    return {"networkId": number(identity, digits=18), "numericId": number(identity, digits=18)}


def _compute_address(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del inputs, project
    return {"address": _address(identity, "203.0.113"), "creationTimestamp": "2026-01-01T00:00:00.000-08:00"}


def _project(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del project, identity
    return {"number": project_number(str(inputs.get("projectId")))}


def _service_identity(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del identity
    service = str(inputs.get("service", "")).removesuffix(".googleapis.com")
    email = f"service-{project_number(project)}@{_AGENTS.get(service, f'gcp-sa-{service}')}.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}"}


def _named_by_id(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del inputs, project
    return {"name": identity}


def _address(identity: str, prefix: str) -> str:
    """An address below a prefix of one to three numbers, from the identity alone."""
    missing = 4 - len(prefix.split("."))
    digits = stable("address", identity)
    parts = [str(1 + int(digits[2 * index : 2 * index + 2], 16) % 254) for index in range(missing)]
    return ".".join([prefix, *parts])


def _authority(identity: str) -> str:
    """A real self-signed certificate, always the same for one cluster."""
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(stable("authority", identity, digits=64)))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, stable(identity, digits=36))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int(stable("serial", identity, digits=30), 16))
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2056, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM)).decode()


# Service agents whose domain is not `gcp-sa-SERVICE`. https://cloud.google.com/iam/docs/service-agents
_AGENTS = {
    "compute": "compute-system",
    "container": "container-engine-robot",
    "sqladmin": "gcp-sa-cloud-sql",
}
_TABLE: dict[str, Callable[[dict[str, Any], str, str], dict[str, Json]]] = {
    "gcp:artifactregistry/repository:Repository": _repository,
    "gcp:compute/address:Address": _compute_address,
    "gcp:compute/network:Network": _network,
    CLUSTER: _cluster,
    "gcp:organizations/project:Project": _project,
    "gcp:projects/iAMCustomRole:IAMCustomRole": _named_by_id,
    "gcp:projects/serviceIdentity:ServiceIdentity": _service_identity,
    "gcp:secretmanager/secret:Secret": _named_by_id,
    "gcp:serviceaccount/account:Account": _account,
    "gcp:sql/databaseInstance:DatabaseInstance": _instance,
}
