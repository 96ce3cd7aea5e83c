"""The last check of a report: a value that is secret in one place is not shown in any other, and no credential is.

An error of the program may contain a password, and a policy may quote the value that it refuses. The events mark secret
values, so these can be removed from all texts. Others look like credentials (credentials.py). Long texts are truncated
only after that. docs/adr/0025-redaction.md has the reasons.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from atwork.engine import wire
from atwork.report.credentials import without_credentials
from atwork.report.model import Change, Output, Property, StackReport
from atwork.report.values import SECRET, UNKNOWN_MARKS, hides, is_secret, join

_MIN_LENGTH = 6
"""Minimum length of a secret; shorter values occur in too many texts."""
_MAX_LENGTH, _MAX_ERROR_LENGTH = 400, 2000
_VARIABLE = re.compile(r"\benv\[\d+\]\.value$")
_Sides = TypeVar("_Sides", Property, Output)
_MARKS = frozenset({"signature", "ciphertext", wire.SECRET})


def secrets(old: Any, new: Any, kind: str, path: str = "") -> Iterator[str]:
    """Plaintext values on both sides of a path that is secret on one side."""
    if is_secret(old) or is_secret(new) or (hides(kind, path) and not _VARIABLE.search(path)):
        yield from _texts(old)
        yield from _texts(new)
        return
    if isinstance(old, Mapping) or isinstance(new, Mapping):
        before, after = (item if isinstance(item, Mapping) else {} for item in (old, new))
        for key in {**before, **after}:
            yield from secrets(before.get(key), after.get(key), kind, join(path, str(key)))
    if isinstance(old, list) or isinstance(new, list):
        first, second = (item if isinstance(item, list) else [] for item in (old, new))
        for index in range(max(len(first), len(second))):
            before, after = (item[index] if index < len(item) else None for item in (first, second))
            yield from secrets(before, after, kind, f"{path}[{index}]")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "plaintext" and wire.SECRET in value and isinstance(item, str):
                yield from _texts(_decoded(item))
            elif key not in _MARKS:
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str) and len(value) >= _MIN_LENGTH and value != SECRET and value not in UNKNOWN_MARKS:
        yield value


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _forms(text: str) -> Iterator[str]:
    """The forms of a text inside another: verbatim, in JSON, on one line."""
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield " ".join(text.split())


class Scrub:
    """Removes known secrets from texts."""

    def __init__(self, known: Iterable[str]) -> None:
        forms = {form for item in known for form in _forms(item)}
        ordered = sorted((form for form in forms if len(form) >= _MIN_LENGTH), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """A text without secrets."""
        return without_credentials(self._known.sub(SECRET, text) if self._known else text)

    def report(self, report: StackReport) -> StackReport:
        """A report without secrets and with long texts truncated."""
        return report.model_copy(
            update={
                "changes": tuple(map(self._change, report.changes)),
                "outputs": tuple(map(self._side, report.outputs)),
                "policies": tuple(
                    item.model_copy(update={"message": self._scrubbed_message(item.message)})
                    for item in report.policies
                ),
                "errors": tuple(map(self._scrubbed_message, report.errors)),
            }
        )

    def _scrubbed_message(self, text: str) -> str:
        return _short(self.text(text), _MAX_ERROR_LENGTH)

    def _change(self, item: Change) -> Change:
        properties = tuple(map(self._side, item.properties))
        return item if properties == item.properties else item.model_copy(update={"properties": properties})

    def _side(self, item: _Sides) -> _Sides:
        sides = {"old": item.old, "new": item.new}
        changed = {key: _short(self.text(text), _MAX_LENGTH) for key, text in sides.items() if text is not None}
        same = all(sides[key] == text for key, text in changed.items())
        return item if same else item.model_copy(update=changed)


def _short(text: str, max_length: int) -> str:
    """A truncated text; the hash distinguishes long texts with the same beginning."""
    if len(text) <= max_length:
        return text
    return f"{text[:max_length]}… ({len(text)} characters, {hashlib.sha256(text.encode()).hexdigest()[:8]})"
