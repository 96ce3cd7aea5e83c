"""What the official provider's schema states of properties and the SDK does not: rules.json (tools/gcp_rules.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from atwork.sandbox.provider import schema
from components.type_tokens import ORGANIZATION_CUSTOM_ROLE, PROJECT, PROJECT_CUSTOM_ROLE, SERVICE_ACCOUNT

Rules = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Rules by property of a type, and by object and property of the objects in these properties."""

_NAMING = ("project", "location", "region", "zone", "name")
_AUTOMATIC_NAMES = {
    ORGANIZATION_CUSTOM_ROLE: "roleId",
    PROJECT: "projectId",
    PROJECT_CUSTOM_ROLE: "roleId",
    SERVICE_ACCOUNT: "accountId",
}
"""Types whose automatic name is not in `name` (pulumi-gcp, provider/resources.go)."""


def is_policy_member(token: str) -> bool:
    """Whether a type is one entry in the IAM policy of another resource; it is deleted with that resource."""
    return token.lower().endswith("iammember")


@cache
def automatic_name_property(token: str) -> str:
    """The property with the automatic name of a type; "" for a type whose name is required or has none."""
    inputs = schema.resource(token)["inputs"]
    key = _AUTOMATIC_NAMES.get(token, "name")
    return key if inputs["properties"].get(key) == "string" and key not in inputs["required"] else ""


def rules_of(token: str) -> Rules:
    """The rules in the table; for other types, names and places are immutable."""
    table = _table()
    if token in table["resources"]:
        return table["resources"][token], table["objects"]
    properties = schema.resource(token)["inputs"]["properties"]
    if is_policy_member(token):
        return {key: {"immutable": True} for key in properties}, {}
    return {key: {"immutable": True} for key in properties if key in _NAMING or key.endswith("Id")}, {}


@cache
def _table() -> dict[str, dict[str, Any]]:
    return json.loads(resources.files("atwork.sandbox.provider.gcp").joinpath("rules.json").read_text())
