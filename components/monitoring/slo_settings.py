"""The key `slo` of a service: how many of its requests succeed, and how quickly."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from components.forms import TextForm
from components.settings import Settings

BUCKETS_MS = (5, 10, 25, 50, 75, 100, 200, 300, 500, 750, 1000, 2000, 3000, 5000, 10000)
"""Upper bounds of the histogram `http_request_duration_seconds`, which the template of services has."""

_LEAST, _MOST = 90, 99.99


def _share(value: float) -> float:
    if value >= 100:
        raise ValueError(f"{value:g} leaves no budget for failures; write {_MOST:g} at most")
    if value > _MOST:
        raise ValueError(f"{value:g}: its budget is used up before somebody can react; write {_MOST:g} at most")
    if value < _LEAST:
        raise ValueError(f"{value:g} is below {_LEAST}, where alerts come too late; write {_LEAST} at least, or no slo")
    return value


Share = Annotated[float, AfterValidator(_share)]
"""A share of requests in percent."""


def _bucket(text: str) -> str:
    if milliseconds(text) not in BUCKETS_MS:
        nearest = min(BUCKETS_MS, key=lambda bucket: abs(bucket - milliseconds(text)))
        raise ValueError(f"{text} is not a bound of the histogram of services; write {written(nearest)}")
    return text


Under = Annotated[str, TextForm(r"^[1-9][0-9]*(ms|s)$", "an integer with ms or s", "300ms"), AfterValidator(_bucket)]
"""A duration that is a bound of the histogram."""


def milliseconds(text: str) -> int:
    """A duration in milliseconds."""
    match = re.fullmatch(r"(\d+)(ms|s)", text)
    if match is None:
        raise ValueError(f"{text} is not a duration")
    return int(match[1]) * (1000 if match[2] == "s" else 1)


def written(bucket: int) -> str:
    """Milliseconds as stack files write them."""
    return f"{bucket // 1000}s" if bucket % 1000 == 0 else f"{bucket}ms"


class LatencySettings(Settings):
    """How quickly requests are answered."""

    under: Under
    """The duration that a request may take, a bound of the template's histogram: 100ms, 300ms, 1s."""

    share: Share
    """The share of requests that take no longer, in percent."""


class SloSettings(Settings):
    """Objectives for 30 days; each has alerts when its error budget is used up too fast."""

    availability: Share | None = None
    """The share of requests that do not fail with a status of 500 or above, in percent."""

    latency: LatencySettings | None = None
    """How quickly requests are answered."""

    @model_validator(mode="after")
    def _any(self) -> Self:
        if self.availability is None and self.latency is None:
            raise ValueError("has no objective; add availability or latency, or remove slo")
        return self
