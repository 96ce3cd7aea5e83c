"""Computed outputs of a GKE cluster: endpoints and certificate authority."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.provider.gcp.numbers import address, project_number
from atwork.sandbox.provider.names import stable_hex
from atwork.sandbox.provider.values import Json, block, reveal


def cluster_outputs(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    """The computed outputs of a cluster."""
    location = str(inputs.get("location", ""))
    endpoint = f"gke-{stable_hex(identity, digits=32)}-{project_number(project)}.{location}.gke.goog"
    endpoints = block(inputs.get("controlPlaneEndpointsConfig"))
    endpoints["dnsEndpointConfig"] = {**block(endpoints.get("dnsEndpointConfig")), "endpoint": endpoint}
    auth = {**block(inputs.get("masterAuth")), "clusterCaCertificate": _authority(identity)}
    return {
        "controlPlaneEndpointsConfig": endpoints,
        "endpoint": address(identity, "10"),
        "masterAuth": auth,
        "masterVersion": "1.35.4-gke.1000",
        "selfLink": f"https://container.googleapis.com/v1/{identity}",
        "servicesIpv4Cidr": "34.118.224.0/20",
    }


def with_dns_endpoint(outputs: dict[str, Json], endpoint: str) -> dict[str, Json]:
    """The output of a cluster that says where its API server answers; `endpoint` is HOST:PORT."""
    endpoints = outputs["controlPlaneEndpointsConfig"]
    dns_endpoint = {**endpoints["dnsEndpointConfig"], "endpoint": endpoint}
    return {"controlPlaneEndpointsConfig": {**endpoints, "dnsEndpointConfig": dns_endpoint}}


def servers(cluster: CloudObject) -> tuple[str, str]:
    """URLs of a cluster's API server as a kubeconfig names them: by DNS name and by IP address."""
    outputs = reveal(cluster.outputs)
    dns_name = outputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"]
    return f"https://{dns_name}", f"https://{outputs['endpoint']}"


def _authority(identity: str) -> str:
    """A real self-signed certificate in base64, always the same for a cluster."""
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(stable_hex("authority", identity, digits=64)))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, stable_hex(identity, digits=36))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int(stable_hex("serial", identity, digits=30), 16))
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2056, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM)).decode()
