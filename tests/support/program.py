"""Runs the real program with a stack's real settings under mocks."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from support.mocks import Outputs, Recording, record

from components.versions import IMAGES
from infra import CONFIG_KEY
from infra.config import STACKS, read_file
from infra.layout import STACKS_FOLDER, stack_file
from infra.stack_name import StackName

_REGISTRY = "europe-docker.pkg.dev/acme-at-work-ci"
PLATFORM = {
    "registryProject": "acme-at-work-ci",
    "registryLocation": "europe",
    "registryUrl": _REGISTRY,
    "deployers": {
        "deploy-staging": "principal://staging-deployer",
        "previews-staging": "principal://staging-previews",
        "deploy-production": "principal://production-deployer",
    },
    "signingKey": "projects/acme-at-work-ci/locations/europe-west1/keyRings/release-signing-ring/cryptoKeys/releases",
    "previewImages": [f"{_REGISTRY}/docker-hub/library/{IMAGES[store]}" for store in ("postgres", "redis", "mysql")],
}


def cloud(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The few computed outputs that the program reads."""
    match token:
        case "gcp:serviceaccount/account:Account":
            email = f"{inputs['accountId']}@example.iam.gserviceaccount.com"
            return {"email": email, "member": f"serviceAccount:{email}", "name": f"accounts/{email}"}
        case "gcp:container/cluster:Cluster":
            endpoints = inputs["controlPlaneEndpointsConfig"]
            endpoint = {**endpoints["dnsEndpointConfig"], "endpoint": f"{name}.gke.goog"}
            return {"controlPlaneEndpointsConfig": {**endpoints, "dnsEndpointConfig": endpoint}}
        case "gcp:sql/databaseInstance:DatabaseInstance":
            return {"connectionName": f"project:region:{name}", "dnsName": f"{name}.sql.goog.", "name": name}
        case "gcp:memorystore/instance:Instance":
            primary = {"connectionType": "CONNECTION_TYPE_PRIMARY", "ipAddress": "10.0.15.7", "port": 6379}
            reader = {**primary, "connectionType": "CONNECTION_TYPE_READER", "ipAddress": "10.0.15.8"}
            connections = [{"pscAutoConnection": each} for each in (reader, primary)]
            certificates = [{"certificates": ["certificate of the instance\n"]}]
            return {"endpoints": [{"connections": connections}], "managedServerCas": [{"caCerts": certificates}]}
        case "gcp:projects/iAMCustomRole:IAMCustomRole":
            return {"name": f"projects/example/roles/{inputs['roleId']}"}
        case "gcp:projects/serviceIdentity:ServiceIdentity":
            agent = inputs["service"].removesuffix(".googleapis.com")
            return {"member": f"serviceAccount:service-1@gcp-sa-{agent}.iam.gserviceaccount.com"}
        case "gcp:compute/address:Address" | "gcp:compute/globalAddress:GlobalAddress":
            return {"address": "203.0.113.10", "selfLink": f"https://compute/{name}"}
        case "gcp:certificatemanager/certificate:Certificate":
            return {"name": f"{name}-1a2b3c4"}
        case "pulumi:pulumi:StackReference":
            return {"outputs": {"platform": PLATFORM}}
        case _:
            return _names(token, inputs)


def _names(token: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What Cloud DNS and Certificate Manager compute."""
    match token:
        case "gcp:certificatemanager/dnsAuthorization:DnsAuthorization":
            own = "_4f1a" if inputs["type"] == "PER_PROJECT_RECORD" else ""
            name = f"_acme-challenge{own}.{inputs['domain']}."
            record = {"name": name, "type": "CNAME", "data": "authorize.example."}
            return {"dnsResourceRecords": [record]}
        case "gcp:dns/managedZone:ManagedZone":
            return {"nameServers": ["ns1.example.", "ns2.example."]}
        case _:
            return {}


def run_stack(
    stack: str,
    change: dict[str, Any] | None = None,
    reads: list[str] | None = None,
    outputs: Outputs = cloud,
    root: Path = STACKS.parent,
    *,
    preview: bool = False,
) -> Recording:
    """What the program declares for a stack; `change` replaces top-level parts of its settings.

    Names of the stacks that it reads are added to `reads`; `outputs` computes what the cloud adds; `root` has the stack
    files and the services.
    """
    group = StackName.parse(stack).group
    settings = {} if group else json.loads(read_file(stack_file(root / STACKS_FOLDER, stack)) or "{}") | (change or {})

    def program() -> None:
        # A property of the running program's context, which the type checker takes for its descriptor.
        pulumi.runtime.settings.SETTINGS.root_directory = str(root)  # pyright: ignore[reportAttributeAccessIssue]
        pulumi.runtime.set_all_config({} if group else {CONFIG_KEY: json.dumps(settings)})
        runpy.run_path(str(STACKS.parent / "infra"), run_name="__main__")

    def watched(token: str, name: str, inputs: dict[str, Any]) -> Mapping[str, Any]:
        if token == "pulumi:pulumi:StackReference" and reads is not None:
            reads.append(name)
        return outputs(token, name, inputs)

    return record(program, outputs=watched, stack=stack, preview=preview)
