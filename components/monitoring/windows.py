"""When Google may update a part of an environment, as PromQL that has a value at these times. Plain data.

Traps:
- A window can be open over midnight and over the end of the week: everything is counted from its opening.
- All times are UTC, as in PromQL and in the settings of GKE and Cloud SQL.
- In PromQL, Sunday is day 0 of the week.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

_DAY = 24 * 60 * 60
_MUTED = " unless on () ("
"""What joins a value with its window; no other query of the catalog has it."""
_NAMES = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")


class Freeze(Protocol):
    """A time without updates, in which windows stay closed."""

    @property
    def query(self) -> str:
        """PromQL with a value during the freeze."""
        ...

    @property
    def words(self) -> str:
        """The freeze as people read it."""
        ...


@dataclass(frozen=True)
class Span:
    """A freeze between two moments, the second one excluded."""

    start: datetime
    end: datetime

    @property
    def query(self) -> str:
        """PromQL with a value during the freeze."""
        return f"vector(time()) >= {int(self.start.timestamp())} < {int(self.end.timestamp())}"

    @property
    def words(self) -> str:
        """The freeze as people read it."""
        return f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}"


@dataclass(frozen=True)
class YearlySpan:
    """A freeze in each year: the first and the last day as month and day, both included."""

    start: tuple[int, int]
    end: tuple[int, int]

    @property
    def query(self) -> str:
        """PromQL with a value during the freeze."""
        today = "month() * 100 + day_of_month()"
        first, last = (month * 100 + day for month, day in (self.start, self.end))
        return f"{today} >= {first} <= {last}" if first <= last else f"{today} >= {first} or {today} <= {last}"

    @property
    def words(self) -> str:
        """The freeze as people read it."""
        return "{:02}-{:02} to {:02}-{:02} of each year".format(*self.start, *self.end)


@dataclass(frozen=True)
class Window:
    """A time of the week in which Google may update something."""

    days: tuple[int, ...]
    """Days on which it opens; 0 is Sunday."""
    opens: int
    """Seconds from midnight to its opening."""
    hours: int
    """How long it is open; 24 at most."""
    freezes: tuple[Freeze, ...] = ()
    """When it stays closed."""

    @property
    def query(self) -> str:
        """PromQL with a value while the window is open, which has no labels."""
        # On the day and at the time of the opening, it is midnight on this clock.
        clock = f"vector(time() - {self.opens})" if self.opens else "vector(time())"
        open_now = f"{clock} % {_DAY} < {self.hours * 3600}"
        if len(set(self.days)) < len(_NAMES):
            days = " or ".join(f"day_of_week({clock}) == {day}" for day in self.days)
            open_now += f" and ({days})"
        return open_now + "".join(f" unless ({freeze.query})" for freeze in self.freezes)

    @property
    def words(self) -> str:
        """The window as people read it."""
        days = ", ".join(_NAMES[day] for day in self.days) if len(set(self.days)) < len(_NAMES) else "daily"
        hour, minute = divmod(self.opens // 60, 60)
        text = f"{days} {hour:02}:{minute:02} UTC for {self.hours} h"
        return text + "".join(f", not {freeze.words}" for freeze in self.freezes)


def muted(value: str, window: Window) -> str:
    """A value that is missing while a window is open."""
    return f"({value}{_MUTED}{window.query}))"


def is_muted(query: str) -> bool:
    """Whether a query has a value that is missing while a window is open."""
    return _MUTED in query
