"""What a change takes from a bucket of logs: days for which it keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atwork.report.model import Guard, Property
from components.type_tokens import LOG_BUCKET

_UNSET = 30
"""Days of a bucket without the setting (https://cloud.google.com/logging/docs/buckets#custom-retention)."""


def retention_guards(token: str, differing: Sequence[Property]) -> Iterator[Guard]:
    """The guards among the inputs of a bucket of logs that differ: fewer days delete what is older."""
    for item in differing if token == LOG_BUCKET else ():
        if item.path == "retentionDays":
            before, after = _days(item.old), _days(item.new)
            shorter = before is not None and (after is None or after < before)
            yield Guard(name=item.path, old=item.old or "none", new=item.new or "none", removed=shorter)


def _days(text: str | None) -> float | None:
    """A number of days; None for a value that is not known yet."""
    if text is None:
        return _UNSET
    try:
        return float(text)
    except ValueError:
        return None
