"""What Google Cloud computes: names, links and e-mail addresses that look real and never change."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from atwork.sandbox.provider.gcp.clusters import cluster_outputs
from atwork.sandbox.provider.gcp.numbers import address, project_number
from atwork.sandbox.provider.names import stable_hex, stable_number
from atwork.sandbox.provider.package import ResourceRequest
from atwork.sandbox.provider.values import Json, reveal
from components.type_tokens import (
    CLUSTER,
    DATABASE_INSTANCE,
    PROJECT,
    PROJECT_CUSTOM_ROLE,
    REDIS_INSTANCE,
    REPOSITORY,
    SECRET,
    SERVICE_ACCOUNT,
    SERVICE_IDENTITY,
)

_COMPUTE = "https://www.googleapis.com/compute/v1/"


def computed_outputs(resource: ResourceRequest, identity: str) -> dict[str, Json]:
    """The computed outputs of a resource."""
    inputs = reveal(resource.inputs)
    project = str(inputs.get("project") or resource.config.get("project", ""))
    outputs: dict[str, Json] = {"id": identity}
    if resource.token.startswith("gcp:compute/"):
        outputs["selfLink"] = f"{_COMPUTE}{identity}"
    if resource.token in COMPUTED:
        outputs |= COMPUTED[resource.token](inputs, project, identity)
    if resource.token.endswith((":RepositoryIamMember", ":NoteIamMember", ":IAMMember")):
        outputs["etag"] = base64.b64encode(bytes.fromhex(stable_hex(identity, digits=16))).decode()
    return outputs


def _service_account(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    email = f"{inputs.get('accountId')}@{project}.iam.gserviceaccount.com"
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": identity,
        "uniqueId": stable_number(identity, digits=21),
    }


def _instance(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    region = str(inputs.get("region", ""))
    short = stable_hex(project, identity, digits=12)
    tenant = f"projects/{stable_hex(identity, digits=16)}-tp"
    attachment = f"a-{short}-psc-service-attachment-{short}"
    return {
        "connectionName": f"{project}:{region}:{identity}",
        "dnsName": f"{short}.{stable_hex(project, digits=13)}.{region}.sql.goog.",
        "pscServiceAttachmentLink": f"{tenant}/regions/{region}/serviceAttachments/{attachment}",
        "selfLink": f"https://sqladmin.googleapis.com/sql/v1beta4/projects/{project}/instances/{identity}",
        "serviceAccountEmailAddress": f"p{project_number(project)}-{short[:6]}"
        "@gcp-sa-cloud-sql.iam.gserviceaccount.com",
    }


def _redis(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del inputs, project

    def connection(kind: str, place: str) -> Json:
        address_of = address(f"{identity}/{place}", "10.0.15")
        return {"pscAutoConnection": {"connectionType": kind, "ipAddress": address_of, "port": 6379}}

    body = base64.b64encode(stable_hex(identity, digits=64).encode()).decode()
    certificate = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    connections: Json = [
        connection("CONNECTION_TYPE_PRIMARY", "primary"),
        connection("CONNECTION_TYPE_READER", "reader"),
    ]
    return {
        "name": identity,
        "endpoints": [{"connections": connections}],
        "managedServerCas": [{"caCerts": [{"certificates": [certificate]}]}],
        "state": "ACTIVE",
    }


def _repository(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del identity
    return {
        "name": inputs.get("repositoryId"),
        "registryUri": f"{inputs.get('location')}-docker.pkg.dev/{project}/{inputs.get('repositoryId')}",
    }


def _network(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del inputs, project
    return {"networkId": stable_number(identity, digits=18), "numericId": stable_number(identity, digits=18)}


def _compute_address(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del project
    block = "10.0.14" if inputs.get("addressType") == "INTERNAL" else "203.0.113"
    return {"address": address(identity, block), "creationTimestamp": "2026-01-01T00:00:00.000-08:00"}


def _certificate(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    """Certificates are never issued: that needs a delegation, which nobody makes here."""
    del project, identity
    managed = inputs.get("managed") or {}
    return {"managed": {**managed, "state": "PROVISIONING"}} if isinstance(managed, dict) else {}


def _dns_authorization(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del project
    data = f"{stable_hex(identity, digits=32)}.{stable_number(identity, digits=2)}.authorize.certificatemanager.goog."
    # A record of the project has a part of its own in its name.
    own = f"_{stable_hex(identity, digits=16)}" if inputs.get("type") == "PER_PROJECT_RECORD" else ""
    name = f"_acme-challenge{own}.{inputs.get('domain')}."
    return {"dnsResourceRecords": [{"name": name, "type": "CNAME", "data": data}]}


def _managed_zone(inputs: dict[str, Any], project: str, identity: str) -> dict[str, Json]:
    del inputs, project
    letter = "abcde"[int(stable_number(identity, digits=2)) % 5]
    return {"nameServers": [f"ns-cloud-{letter}{number}.googledomains.com." for number in range(1, 5)]}


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


# Domains of service agents other than `gcp-sa-SERVICE`. https://cloud.google.com/iam/docs/service-agents
_AGENTS = {
    "compute": "compute-system",
    "container": "container-engine-robot",
    "sqladmin": "gcp-sa-cloud-sql",
}
COMPUTED: dict[str, Callable[[dict[str, Any], str, str], dict[str, Json]]] = {
    REPOSITORY: _repository,
    "gcp:certificatemanager/certificate:Certificate": _certificate,
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": _dns_authorization,
    "gcp:compute/address:Address": _compute_address,
    "gcp:compute/globalAddress:GlobalAddress": _compute_address,
    "gcp:compute/network:Network": _network,
    CLUSTER: cluster_outputs,
    "gcp:dns/managedZone:ManagedZone": _managed_zone,
    PROJECT: _project,
    PROJECT_CUSTOM_ROLE: _named_by_id,
    SERVICE_IDENTITY: _service_identity,
    SECRET: _named_by_id,
    SERVICE_ACCOUNT: _service_account,
    DATABASE_INSTANCE: _instance,
    REDIS_INSTANCE: _redis,
}
"""The computed outputs by type: a function of inputs, project and id."""
