"""Property values as plain JSON with the engine's two markers: unknown strings and secret envelopes."""

from __future__ import annotations

from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict

from atwork.engine.wire import SECRET, UNKNOWN

_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (the engine's marker, not a secret)
_OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

Json = Any
"""A JSON value; secrets are envelopes, unknowns are the UNKNOWN string."""


def from_struct(message: struct_pb2.Struct) -> dict[str, Json]:
    """The properties of a message; numbers without a fraction become integers."""
    return _plain(MessageToDict(message))


def to_struct(properties: dict[str, Json]) -> struct_pb2.Struct:
    """The message of properties."""
    message = struct_pb2.Struct()
    message.update(properties)
    return message


def _plain(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if value.get(SECRET) == _OUTPUT_SIGNATURE:
            inner = _plain(value["value"]) if "value" in value else UNKNOWN
            return secret(inner) if value.get("secret") else inner
        return {key: _plain(item) for key, item in value.items()}
    return value


def is_secret(value: Json) -> bool:
    """Whether the value itself is a secret envelope."""
    return isinstance(value, dict) and value.get(SECRET) == _SECRET_SIGNATURE


def secret(value: Json) -> Json:
    """The value in a secret envelope."""
    return value if is_secret(value) else {SECRET: _SECRET_SIGNATURE, "value": value}


def without_envelope(value: Json) -> Json:
    """The value without its own envelope; deeper ones stay."""
    return value["value"] if is_secret(value) else value


def reveal(value: Json) -> Json:
    """The value without envelopes at any depth."""
    if is_secret(value):
        return reveal(value["value"])
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def keep_secret(value: Json, given: Json) -> Json:
    """The value with an envelope at every depth where `given` has one, so that merging never reveals a secret."""
    if is_secret(given):
        return secret(value)
    if is_secret(value):
        return value
    if isinstance(value, dict) and isinstance(given, dict):
        return {key: keep_secret(item, given.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(given, list):
        # In a list of another length the item with the secret is not known, so the list as a unit is secret.
        if len(value) != len(given):
            return secret(value) if reveal(given) != given else value
        return [keep_secret(item, given_item) for item, given_item in zip(value, given, strict=True)]
    return value


def is_unknown(value: Json) -> bool:
    """Whether a value is known only after another resource has been created."""
    return reveal(value) == UNKNOWN if not isinstance(value, list) else False


def block(value: Json) -> dict[str, Json]:
    """A map without its envelope; empty if there is none or a preview does not know it yet."""
    plain = without_envelope(value)
    return dict(plain) if isinstance(plain, dict) else {}


def has_unknown(value: Json) -> bool:
    """Whether the value contains an unknown at any depth."""
    value = reveal(value)
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value == UNKNOWN


def strings(value: Json) -> list[str]:
    """Every string in a revealed value."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings(part)]
