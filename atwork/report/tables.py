"""The reviewed tables beside this file: what holds data, what does not, and what is noise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter


class Noise(BaseModel):
    """A difference that means nothing, until a day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    urn: str
    path: str
    reason: str
    expires: date

    def covers(self, urn: str, path: str) -> bool:
        """Whether a difference is this one; both are patterns with `*`."""
        return fnmatchcase(urn, self.urn) and fnmatchcase(path, self.path)


@cache
def _table(name: str) -> frozenset[str]:
    return frozenset(yaml.safe_load(resources.files("atwork.report").joinpath(name).read_text()))


def stateful() -> frozenset[str]:
    """Types that hold data."""
    return _table("stateful.yaml")


def stateless() -> frozenset[str]:
    """Patterns of types that hold none."""
    return _table("stateless.yaml")


def unclassified(types: Iterable[str]) -> tuple[str, ...]:
    """Those of some types of which neither table says whether they hold data."""
    return tuple(sorted({one for one in types if not _is_classified(one)}))


def _is_classified(kind: str) -> bool:
    return kind in stateful() or any(fnmatchcase(kind, pattern) for pattern in stateless())


def noise(today: date) -> tuple[Noise, ...]:
    """What is left out today; what has expired is shown again."""
    text = resources.files("atwork.report").joinpath("noise.yaml").read_text()
    found = TypeAdapter(tuple[Noise, ...]).validate_python(yaml.safe_load(text) or ())
    return tuple(one for one in found if one.expires >= today)
