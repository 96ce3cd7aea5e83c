"""The reviewed tables in this folder: types with data, types without data, and noise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter


class Noise(BaseModel):
    """A difference that is ignored until a day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    urn: str
    path: str
    reason: str
    expires: date

    def covers(self, urn: str, path: str) -> bool:
        """Whether it matches a difference; `urn` and `path` of the entry are patterns with `*`."""
        return fnmatchcase(urn, self.urn) and fnmatchcase(path, self.path)


@cache
def _table(name: str) -> frozenset[str]:
    return frozenset(yaml.safe_load(resources.files("atwork.report").joinpath(name).read_text()))


def stateful() -> frozenset[str]:
    """Types of resources with data."""
    return _table("stateful.yaml")


def stateless() -> frozenset[str]:
    """Patterns of types of resources without data."""
    return _table("stateless.yaml")


def unclassified(types: Iterable[str]) -> tuple[str, ...]:
    """The types that neither table contains."""
    return tuple(sorted({item for item in types if not _is_classified(item)}))


def _is_classified(kind: str) -> bool:
    return kind in stateful() or any(fnmatchcase(kind, pattern) for pattern in stateless())


def noise(today: date) -> tuple[Noise, ...]:
    """The entries that have not expired."""
    text = resources.files("atwork.report").joinpath("noise.yaml").read_text()
    entries = TypeAdapter(tuple[Noise, ...]).validate_python(yaml.safe_load(text) or ())
    return tuple(item for item in entries if item.expires >= today)
