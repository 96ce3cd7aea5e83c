"""Objects as a program writes them and as an API server returns them, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atwork.sandbox.provider.kubernetes.outputs import secret_content
from atwork.sandbox.provider.values import Json, is_secret, reveal, secret

_SERVER_FIELDS = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


def body(inputs: Mapping[str, Json]) -> dict[str, Any]:
    """The body of a request to the API server: without markers of the engine and nulls."""
    return _clean({key: value for key, value in reveal(dict(inputs)).items() if not key.startswith("__")})


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def outputs(live: Mapping[str, Any]) -> dict[str, Json]:
    """The outputs of an object: everything but the owners of fields; the content of a Secret is secret."""
    result = {key: value for key, value in live.items() if key != "metadata"}
    result["metadata"] = {key: value for key, value in live.get("metadata", {}).items() if key != "managedFields"}
    if live.get("kind") == "Secret":
        result |= secret_content(result)
    return result


def imported(live: Mapping[str, Any]) -> dict[str, Json]:
    """Inputs for an object that no program describes yet: everything but the fields of the server."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in _SERVER_FIELDS}
    fields = {key: value for key, value in outputs(live).items() if key not in ("metadata", "status")}
    return {**fields, "metadata": metadata}


def comparable(live: Mapping[str, Any]) -> dict[str, Any]:
    """An object without the fields that change with every write."""
    metadata = {key: value for key, value in live.get("metadata", {}).items() if key not in _SERVER_FIELDS}
    return {**{key: value for key, value in live.items() if key not in ("metadata", "status")}, "metadata": metadata}


_MISSING: Any = object()


def refreshed(inputs: Json, before: Json, now: Json) -> Json:
    """The inputs with the changes on the server: `before` is the object in the state, `now` the current one.

    A field with the same value as before keeps what the program wrote: servers normalize quantities and defaults, which
    is no drift. Fields that the program does not set are ignored.
    """
    result = _refreshed(inputs, reveal(before), reveal(now))
    return {} if result is _MISSING else result


def _refreshed(given: Json, before: Json, now: Json) -> Json:
    if is_secret(given):
        result = _refreshed(given["value"], before, now)
        return result if result is _MISSING else secret(result)
    if now is _MISSING or (before is not _MISSING and before == now):
        return now if now is _MISSING else given
    if isinstance(given, dict) and isinstance(now, dict):
        olds = before if isinstance(before, dict) else {}
        fields = {key: _field(key, value, olds, now) for key, value in given.items()}
        return {key: value for key, value in fields.items() if value is not _MISSING}
    if isinstance(given, list) and isinstance(now, list) and len(given) == len(now):
        olds = before if isinstance(before, list) and len(before) == len(now) else [_MISSING] * len(now)
        return [_refreshed(item, old, new) for item, old, new in zip(given, olds, now, strict=True)]
    return now


def _field(key: str, given: Json, before: Mapping[str, Json], now: Mapping[str, Json]) -> Json:
    old, new = before.get(key, _MISSING), now.get(key, _MISSING)
    never_read_back = old is _MISSING and new is _MISSING  # such as stringData
    return given if key.startswith("__") or never_read_back else _refreshed(given, old, new)
