"""Outputs of simulated Kubernetes objects: the inputs with what an API server adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atwork.sandbox.provider.kubernetes.kinds import kind_of
from atwork.sandbox.provider.names import stable_hex, stable_number
from atwork.sandbox.provider.values import Json, block, reveal, secret


def object_outputs(token: str, inputs: dict[str, Json], server: str, identity: str) -> dict[str, Json]:
    """The outputs of an object in the cluster of an API server."""
    metadata = {
        "uid": _uid(server, token, identity),
        "resourceVersion": stable_number(server, identity, digits=6),
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        **block(inputs.get("metadata")),
    }
    outputs = {**inputs, "id": identity, "metadata": metadata}
    if kind_of(token) == "Secret":
        outputs |= secret_content(outputs)
    if kind_of(token) == "Service":
        outputs |= _service(inputs, server, identity)
    return outputs


def secret_content(outputs: dict[str, Json]) -> dict[str, Json]:
    """The content of a Secret, in secret envelopes."""
    return {key: secret(outputs[key]) for key in ("data", "stringData") if key in outputs}


def release_outputs(
    inputs: Mapping[str, Json], identity: str, *, revision: int = 1, status: str = "deployed"
) -> dict[str, Json]:
    """The outputs of a release."""
    given = {key: value for key, value in inputs.items() if not key.startswith("__")}
    plain: dict[str, Any] = reveal(given)
    release_status = {
        "name": plain.get("name"),
        "namespace": plain.get("namespace"),
        "chart": str(plain.get("chart", "")).rpartition("/")[2],
        "version": plain.get("version", ""),
        "revision": revision,
        "status": status,
    }
    return {**given, "id": identity, "status": release_status, "resourceNames": {}}


def _service(inputs: dict[str, Json], server: str, identity: str) -> dict[str, Json]:
    """The cluster IP of a Service, and the address of a load balancer."""
    spec = block(reveal(inputs).get("spec"))
    digits = stable_hex("service", server, identity)
    spec.setdefault("clusterIP", f"34.118.{224 + int(digits[:2], 16) % 16}.{1 + int(digits[2:4], 16) % 254}")
    if spec.get("type") != "LoadBalancer":
        return {"spec": spec}
    address = f"203.0.113.{1 + int(digits[4:6], 16) % 254}"
    return {"spec": spec, "status": {"loadBalancer": {"ingress": [{"ip": address}]}}}


def _uid(*parts: str) -> str:
    digits = stable_hex("uid", *parts)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
