"""What stays in the cloud when it leaves a stack: nobody deletes it, and its name stays taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atwork.report.values import has_unknown

_NEVER_DELETED = ("gcp:kms/keyRing:KeyRing",)
"""Google Cloud deletes none of them: https://cloud.google.com/kms/docs/resource-hierarchy#key_rings"""

_IMPORT_IDS = {
    "gcp:kms/cryptoKey:CryptoKey": "{keyRing}/cryptoKeys/{name}",
    "gcp:sql/database:Database": "projects/{project}/instances/{instance}/databases/{name}",
    "gcp:sql/user:User": "{project}/{instance}/{name}",
}
"""The ids by which the provider imports, from the import section of each type's page in
https://www.pulumi.com/registry/packages/gcp/api-docs/."""


def is_kept(kind: str, state: Mapping[str, Any]) -> bool:
    """Whether a resource stays behind when the engine deletes it.

    `kind` is its type token, `state` what the engine's events say of it: the option `retainOnDelete`
    (https://www.pulumi.com/docs/iac/concepts/options/retainondelete/), or the provider's own `deletionPolicy: ABANDON`.
    """
    inputs = state.get("inputs") or {}
    return kind in _NEVER_DELETED or bool(state.get("retainOnDelete")) or inputs.get("deletionPolicy") == "ABANDON"


def is_importable(kind: str) -> bool:
    """Whether the id of a type is known here; key rings are named anew each time and never meet an old one."""
    return kind in _IMPORT_IDS or kind.startswith("kubernetes:")


def import_id(kind: str, inputs: Mapping[str, Any], project: str) -> str:
    """The id by which `pulumi import` takes a resource over; "" where it is not known, or the type is none of ours.

    `inputs` are the program's; `project` stands in where they name none, as the provider's own project does.
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
