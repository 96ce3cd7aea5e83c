"""Resources that stay in the cloud when they leave a stack, with their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atwork.report.values import has_unknown

_NEVER_DELETED = ("gcp:kms/keyRing:KeyRing",)
"""Types that Google Cloud never deletes: https://cloud.google.com/kms/docs/resource-hierarchy#key_rings"""

_IMPORT_IDS = {
    "gcp:kms/cryptoKey:CryptoKey": "{keyRing}/cryptoKeys/{name}",
    "gcp:sql/database:Database": "projects/{project}/instances/{instance}/databases/{name}",
    "gcp:sql/user:User": "{project}/{instance}/{name}",
}
"""The import ids of the provider, from the import section of each type's page in
https://www.pulumi.com/registry/packages/gcp/api-docs/."""


def is_kept(kind: str, state: Mapping[str, Any]) -> bool:
    """Whether a resource stays in the cloud when the engine deletes it.

    `kind` is its type token, `state` its state in the engine's events: the option `retainOnDelete`
    (https://www.pulumi.com/docs/iac/concepts/options/retainondelete/), or the provider's own `deletionPolicy: ABANDON`.
    """
    inputs = state.get("inputs") or {}
    return kind in _NEVER_DELETED or bool(state.get("retainOnDelete")) or inputs.get("deletionPolicy") == "ABANDON"


def is_importable(kind: str) -> bool:
    """Whether the import id of a type is known; a new key ring has a new name and never conflicts with an old one."""
    return kind in _IMPORT_IDS or kind.startswith("kubernetes:")


def import_id(kind: str, inputs: Mapping[str, Any], project: str) -> str:
    """The id for `pulumi import`; "" if it is unknown.

    `inputs` are the program's; `project` is the project of the provider, for inputs without a project.
    """
    if kind.startswith("kubernetes:"):
        metadata = inputs.get("metadata")
        if not isinstance(metadata, Mapping) or has_unknown(metadata) or not metadata.get("name"):
            return ""
        namespace = metadata.get("namespace")
        return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])
    if kind not in _IMPORT_IDS or has_unknown(inputs):
        return ""
    return _IMPORT_IDS[kind].format_map({"project": project, **inputs})
