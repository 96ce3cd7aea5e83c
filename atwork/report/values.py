"""Compare and show values without showing secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from atwork.engine import wire
from atwork.report.model import Property

UNKNOWN_MARKS = (
    wire.UNKNOWN,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a boolean
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
    "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
    "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # a map
)
SECRET = "[secret]"  # noqa: S105
UNKNOWN = "(known after apply)"
_HIDDEN = re.compile(
    r"(^|[.\[\"])([\w-]*(password|password_?wo|passwd|passphrase|private_?key|secret_?key|access_?key|api_?key|client_?secret)\b|"
    r"((secret|string)_?data|token|(access|auth|bearer|refresh)_?token|kubeconfig|credentials|connection_?string)(?![\w-]))",
    re.IGNORECASE,
)
"""Paths whose values are never shown, even if a provider does not mark them as secret.

`token-ci` is the name of something that has a token, such as a manifest, and no token.
"""
_HIDDEN_IN_SECRETS = re.compile(r"^(data|stringData)\b")
_HIDDEN_VARIABLES = re.compile(r"\benv\[\d+\]\.value$")


def is_secret(value: Any) -> bool:
    """Whether the engine marks a value as secret."""
    return value == SECRET or (isinstance(value, Mapping) and wire.SECRET in value)


def hides(kind: str, path: str) -> bool:
    """Whether the values at a path are never shown."""
    if kind.endswith(":Secret") and _HIDDEN_IN_SECRETS.search(path):
        return True
    return bool(_HIDDEN.search(path) or _HIDDEN_VARIABLES.search(path))


def differences(old: Any, new: Any, kind: str, path: str = "") -> Iterator[Property]:
    """Every property that differs; if one side is secret, both are redacted."""
    if old == new:
        return
    if is_secret(old) or is_secret(new) or (hides(kind, path) and not (_is_switch(old) and _is_switch(new))):
        yield Property(path=path, old=_side(old, SECRET), new=_side(new, SECRET))
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in (*old, *(key for key in new if key not in old)):
            if str(key).startswith("__"):
                continue
            yield from differences(old.get(key), new.get(key), kind, join(path, str(key)))
        return
    if isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from differences(before, after, kind, f"{path}[{index}]")
        return
    yield Property(path=path, old=shown(old, kind, path), new=shown(new, kind, path))


def _is_switch(value: Any) -> bool:
    """Whether a value is a boolean or missing, and so not a secret even if its name suggests it."""
    return value is None or isinstance(value, bool)


def join(path: str, key: str) -> str:
    """The path of a key below a path; keys with dots are quoted, as in the engine."""
    plain = re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$-]*", key) is not None
    if not plain:
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _side(value: Any, text: str) -> str | None:
    return None if value is None else text


def shown(value: Any, kind: str, path: str) -> str | None:
    """A value as text, without its secrets."""
    if value is None:
        return None
    clean = redacted(value, kind, path)
    return clean if isinstance(clean, str) else json.dumps(clean, sort_keys=True, ensure_ascii=False)


def redacted(value: Any, kind: str, path: str) -> Any:
    """A value with placeholders for secret and unknown parts."""
    if is_secret(value) or (not _is_switch(value) and hides(kind, path)):
        return SECRET
    if isinstance(value, Mapping):
        return {str(key): redacted(item, kind, join(path, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item, kind, f"{path}[{index}]") for index, item in enumerate(value)]
    return UNKNOWN if value in UNKNOWN_MARKS else value


def has_unknown(value: Any) -> bool:
    """Whether a value contains an unknown part."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return isinstance(value, str) and value in UNKNOWN_MARKS
