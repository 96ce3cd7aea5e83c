"""Objects as a program writes them and as an API server has them, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atwork.sandbox.provider.values import Json, is_secret, reveal, secret

_SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


def body(inputs: Mapping[str, Json]) -> dict[str, Any]:
    """What is sent to the API server: no markers of the engine, no nulls."""
    return _clean({key: value for key, value in reveal(dict(inputs)).items() if not key.startswith("__")})


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def outputs(live: Mapping[str, Any]) -> dict[str, Json]:
    """What the engine keeps of an object: all but who owns which field; the content of a Secret is one."""
    made = {key: value for key, value in live.items() if key != "metadata"}
    made["metadata"] = {key: value for key, value in live.get("metadata", {}).items() if key != "managedFields"}
    if live.get("kind") == "Secret":
        made |= {key: secret(made[key]) for key in ("data", "stringData") if key in made}
    return made


def imported(live: Mapping[str, Any]) -> dict[str, Json]:
    """Inputs for an object that no program has described yet: all that is not the server's own."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in _SERVERS_OWN}
    made = {key: value for key, value in outputs(live).items() if key not in ("metadata", "status")}
    return {**made, "metadata": metadata}


def comparable(live: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what changes at every write."""
    metadata = {key: value for key, value in live.get("metadata", {}).items() if key not in _SERVERS_OWN}
    return {**{key: value for key, value in live.items() if key not in ("metadata", "status")}, "metadata": metadata}


_MISSING: Any = object()


def refreshed(inputs: Json, before: Json, now: Json) -> Json:
    """The inputs with what has changed on the server since: `before` is the object in the state, `now` as it is.

    A field that reads as it read before keeps what the program wrote: servers write quantities and defaults in their
    own way, and that is no drift. A field that the program does not write is nobody's business here.
    """
    found = _refreshed(inputs, reveal(before), reveal(now))
    return {} if found is _MISSING else found


def _refreshed(given: Json, before: Json, now: Json) -> Json:
    if is_secret(given):
        found = _refreshed(given["value"], before, now)
        return found if found is _MISSING else secret(found)
    if now is _MISSING or (before is not _MISSING and before == now):
        return now if now is _MISSING else given
    if isinstance(given, dict) and isinstance(now, dict):
        olds = before if isinstance(before, dict) else {}
        found = {key: _field(key, value, olds, now) for key, value in given.items()}
        return {key: value for key, value in found.items() if value is not _MISSING}
    if isinstance(given, list) and isinstance(now, list) and len(given) == len(now):
        olds = before if isinstance(before, list) and len(before) == len(now) else [_MISSING] * len(now)
        return [_refreshed(one, old, new) for one, old, new in zip(given, olds, now, strict=True)]
    return now


def _field(key: str, given: Json, before: Mapping[str, Json], now: Mapping[str, Json]) -> Json:
    old, new = before.get(key, _MISSING), now.get(key, _MISSING)
    never_read_back = old is _MISSING and new is _MISSING  # such as stringData
    return given if key.startswith("__") or never_read_back else _refreshed(given, old, new)
