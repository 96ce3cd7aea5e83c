"""The two reviewed tables beside this file: what holds data, and what is noise."""

from __future__ import annotations

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
def stateful() -> frozenset[str]:
    """Types that hold data."""
    return frozenset(yaml.safe_load(resources.files("atwork.preview").joinpath("stateful.yaml").read_text()))


def noise(today: date) -> tuple[Noise, ...]:
    """What is left out today; what has expired is shown again."""
    text = resources.files("atwork.preview").joinpath("noise.yaml").read_text()
    found = TypeAdapter(tuple[Noise, ...]).validate_python(yaml.safe_load(text) or ())
    return tuple(one for one in found if one.expires >= today)
