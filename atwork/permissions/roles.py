"""Permissions of the predefined roles that the platform binds, from roles.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from atwork.errors import AccessError

FILE = Path(__file__).with_name("roles.json")


@cache
def _data() -> dict[str, Any]:
    return json.loads(FILE.read_text())


def source() -> str:
    """Source of the definitions, with its date."""
    return _data()["source"]


def names() -> frozenset[str]:
    """The predefined roles in the file."""
    return frozenset(_data()["roles"])


@cache
def permissions(role: str) -> frozenset[str]:
    """The permissions of a predefined role; `AccessError` for a role that is not in the file."""
    held = _data()["roles"].get(role)
    if held is None:
        raise AccessError(
            f"{role}: not in {FILE.name}; run `python -m tools.access_roles FULL` with a full file of role definitions"
        )
    return frozenset(held)


def of_methods(methods: Iterable[str]) -> frozenset[str]:
    """The permissions that API methods need; `AccessError` for a method that is not in the file."""
    known = _data()["methods"]
    held: set[str] = set()
    for method in methods:
        if method not in known:
            raise AccessError(f"{method}: not in {FILE.name}; run `python -m tools.access_roles FULL`")
        held |= set(known[method])
    return frozenset(held)


@cache
def known() -> frozenset[str]:
    """Every permission of a role or a method in the file."""
    lists = (*_data()["roles"].values(), *_data()["methods"].values())
    return frozenset(permission for names in lists for permission in names)
