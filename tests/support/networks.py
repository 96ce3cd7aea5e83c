"""A subnet of a Shared VPC, in the stack files and in a Google of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from support.google import FakeGoogle

from components.google_dns import PRIVATE_GOOGLE_ZONES
from infra import CONFIG_KEY
from infra.config import STACKS, read_file
from infra.layout import stack_file

HOST = "acme-network-host"
NETWORK = f"projects/{HOST}/global/networks/shared-vpc"
SUBNETWORK = f"projects/{HOST}/regions/europe-west1/subnetworks/staging"
EXISTING = {"project": HOST, "network": "shared-vpc", "subnetwork": "staging", "pods_range": "staging-pods"}
RANGES = {"nodes": "10.0.16.0/20", "pods": "10.65.0.0/16"}
SHARED: dict[str, Any] = {"existing": EXISTING, **RANGES}
"""The section `network` of staging."""


def settings(stack: str = "staging", **network: Any) -> dict[str, Any]:
    """The settings of a stack in the Shared VPC; `network` replaces keys of the section."""
    return {**json.loads(read_file(STACKS / f"Pulumi.{stack}.yaml")), "network": {**SHARED, **network}}


def put(stacks: Path, stack: str = "staging", **network: Any) -> None:
    """Put a stack of a checkout, in its project of the repository, into the Shared VPC."""
    file = stack_file(stacks, stack)
    document = yaml.safe_load(file.read_text())
    shared = settings(stack, **network)
    document["config"][CONFIG_KEY] |= {key: shared[key] for key in ("network", "project")}
    file.write_text(yaml.safe_dump(document, sort_keys=False))


def prepared(fake: FakeGoogle, project: str) -> None:
    """What the owner of the network prepares for staging, in a Google of our own."""
    compute = f"/compute/v1/projects/{HOST}/regions/europe-west1"
    link = f"https://www.googleapis.com/compute/v1/{NETWORK}"
    fake.state.projects[HOST] = {"name": "projects/731904558210", "projectId": HOST, "state": "ACTIVE"}
    fake.state.networks |= {
        f"{compute}/subnetworks/staging": {
            "network": link,
            "ipCidrRange": RANGES["nodes"],
            "secondaryIpRanges": [{"rangeName": "staging-pods", "ipCidrRange": RANGES["pods"]}],
            "privateIpGoogleAccess": True,
        },
        f"{compute}/routers": {"items": [{"network": link, "nats": [{"name": "nat"}]}]},
        f"/compute/v1/projects/{project}/getXpnHost": {"name": HOST},
        f"/dns/v1/projects/{HOST}/managedZones": {
            "managedZones": [
                {"dnsName": name, "privateVisibilityConfig": {"networks": [{"networkUrl": link}]}}
                for name in PRIVATE_GOOGLE_ZONES.values()
            ]
        },
        f"/v1/projects/{HOST}/locations/europe-west1/serviceConnectionPolicies": {
            "serviceConnectionPolicies": [
                {"serviceClass": name, "network": NETWORK} for name in ("google-cloud-sql", "gcp-memorystore")
            ]
        },
    }
