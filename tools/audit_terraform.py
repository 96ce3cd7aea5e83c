"""The resources of an environment as Terraform and Kubernetes files, for tools/audit.py.

The golden inventories (tests/golden/STACK.yaml, compared with the program by a test) are written as Terraform JSON with
the provider's property names, and the objects in clusters as manifests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

GOLDEN = Path(__file__).parent.parent / "tests" / "golden"

# Terraform's names of services that differ from Pulumi's module.
_SERVICES = {
    "artifactregistry": "artifact_registry",
    "binaryauthorization": "binary_authorization",
    "gkebackup": "gke_backup",
    "networkconnectivity": "network_connectivity",
    "organizations": "",
    "projects": "project",
    "secretmanager": "secret_manager",
    "serviceaccount": "service_account",
}
# Lists of blocks have plural names in Pulumi and singular ones in Terraform.
_PLURALS = {
    "allows": "allow",
    "audit_log_configs": "audit_log_config",
    "denies": "deny",
    "maintenance_exclusions": "maintenance_exclusion",
    "node_drain_configs": "node_drain_config",
    "secondary_ip_ranges": "secondary_ip_range",
    "taints": "taint",
}
_KEEP_KEYS = ("labels", "resource_labels", "user_labels", "metadata", "annotations")


def snake(name: str) -> str:
    """Terraform's form of a name: `enableK8sTokensViaDns` is `enable_k8s_tokens_via_dns`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def terraform_type(token: str) -> str:
    """Terraform's type of a token: `gcp:projects/iAMMember:IAMMember` is `google_project_iam_member`."""
    _, module, kind = token.split(":")
    service = module.partition("/")[0]
    if (service, kind) == ("serviceaccount", "Account"):
        return "google_service_account"
    words = ["google", _SERVICES.get(service, service), snake(kind.replace("IAM", "Iam"))]
    return "_".join(word for word in words if word)


def terraform(value: Any, references: Mapping[str, str], key: str = "") -> Any:
    """Properties with Terraform's names; maps with free keys keep them, IDs become references."""
    if isinstance(value, Mapping):
        if key in _KEEP_KEYS:
            return dict(value)
        result: dict[str, Any] = {}
        for name, inner in value.items():
            short = snake(str(name))
            short = _PLURALS.get(short, short)
            result[short] = terraform(inner, references, short)
        return result
    if isinstance(value, list):
        return [terraform(item, references) for item in value]
    return references.get(value, value) if isinstance(value, str) else value


def inventory(stack: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Type, name and inputs of every resource of an environment."""
    resources: dict[str, Any] = yaml.safe_load((GOLDEN / f"{stack}.yaml").read_text())
    for key, inputs in resources.items():
        token, _, name = key.partition(" ")
        yield token, name, dict(inputs)


def write(stack: str, folder: Path) -> None:
    """Write the environment as one Terraform JSON file and one file of manifests."""
    resources: dict[str, dict[str, Any]] = {}
    objects: list[dict[str, Any]] = []
    everything = list(inventory(stack))
    # In the inventories, the ID of a resource is its name and `-id`.
    references = {
        f"{name}-id": f"${{{terraform_type(token)}.{name}.id}}"
        for token, name, _ in everything
        if token.startswith("gcp:")
    }
    for token, name, inputs in everything:
        protect = inputs.pop("protect", False)
        if token.startswith("gcp:"):
            properties = terraform(inputs, references)
            if protect:
                properties["lifecycle"] = {"prevent_destroy": True}
            resources.setdefault(terraform_type(token), {})[name] = properties
        elif token.startswith("kubernetes:") and "apiVersion" in inputs:
            objects.append(inputs)
    (folder / f"{stack}.tf.json").write_text(json.dumps({"resource": resources}, indent=1))
    (folder / f"{stack}.yaml").write_text(yaml.safe_dump_all(objects))
