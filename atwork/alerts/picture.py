"""The cases of a rule as a picture of text: the values around the threshold, and below them the states of the alert.

The vertical axis has two scales that meet at the threshold, so that a value on one side of it is drawn on this side,
however near it is. Each case has a character of its own: colors are not needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.text import Text

from atwork.alerts.cases import Variant
from atwork.alerts.evaluation import Evaluation, State
from components.monitoring.rule import Severity, Threshold

_SIDE = 3
"""Rows above the threshold, and rows below it."""

_GUTTER = 9
"""Columns left of the axis: the name of a case is the longest text there."""

_MARKS: dict[Variant, str] = {"quiet": "○", "boundary": "◇", "firing": "●"}
"""Drawn in this order: what fires is never hidden."""

_STYLES: Mapping[Variant, str] = {"quiet": "green", "boundary": "yellow", "firing": "bold red"}
_STATES: Mapping[State, tuple[str, str]] = {
    "inactive": ("·", "dim"),
    "pending": ("░", "yellow"),
    "firing": ("█", "bold red"),
}


@dataclass(frozen=True)
class _Scale:
    """Rows of values; row 0 is the threshold, and positive rows are above it."""

    limit: float
    least: float
    most: float

    @classmethod
    def of(cls, limit: float, values: Iterable[float]) -> _Scale:
        """A scale with all values."""
        shown = (limit, *values)
        return cls(limit, min(shown), max(shown))

    @property
    def rows(self) -> range:
        """The rows from the top; a side without values has none."""
        above = _SIDE if self.most > self.limit else 0
        below = _SIDE if self.least < self.limit else 0
        return range(above, -below - 1, -1)

    def row(self, value: float) -> int:
        """The row of a value."""
        if value == self.limit:
            return 0
        end = self.most if value > self.limit else self.least
        distance = max(1, round(_SIDE * (value - self.limit) / (end - self.limit)))
        return distance if value > self.limit else -distance

    def label(self, row: int) -> float | None:
        """The number at a row: the threshold and the ends have one."""
        return {0: self.limit, _SIDE: self.most, -_SIDE: self.least}.get(row)


def picture(evaluation: Evaluation, threshold: Threshold, severity: Severity, width: int) -> Text:
    """The picture in a number of columns."""
    step = max(1, (width - _GUTTER - 3) // len(evaluation.minutes))
    lines = [_legend(evaluation), *_chart(evaluation, threshold, step), _axis(evaluation, step)]
    lines += [_strip(evaluation, variant, step) for variant in reversed(_MARKS)]
    lines.append(_notice(evaluation, severity, step))
    return Text("\n").join(lines)


def _legend(evaluation: Evaluation) -> Text:
    parts = [
        Text(f"{mark} {variant}{'' if evaluation.courses[variant].values else ' (no value)'}", style=_STYLES[variant])
        for variant, mark in reversed(_MARKS.items())
    ]
    return Text(" " * (_GUTTER + 2)) + Text("   ").join([*parts, Text("╌ threshold", style="dim")])


def _chart(evaluation: Evaluation, threshold: Threshold, step: int) -> Iterable[Text]:
    limit = float(threshold.operand)
    scale = _Scale.of(limit, (value for course in evaluation.courses.values() for value in course.values.values()))
    for row in scale.rows:
        number = scale.label(row)
        label = "" if number is None else threshold.shown(number)
        line = Text(f"{label:>{_GUTTER}} ┤", style="bold" if row == 0 else "")
        for minute in evaluation.minutes:
            line.append_text(_cell(evaluation, scale, row, minute, step))
        yield line


def _cell(evaluation: Evaluation, scale: _Scale, row: int, minute: int, step: int) -> Text:
    """One evaluation in one row."""
    cell = Text("╌" * step, style="dim") if row == 0 else Text(" " * step)
    for variant, mark in _MARKS.items():
        value = evaluation.courses[variant].values.get(minute)
        if value is not None and scale.row(value) == row:
            cell = Text(mark + "─" * (step - 1), style=_STYLES[variant])
    return cell


def _axis(evaluation: Evaluation, step: int) -> Text:
    """The minutes, as many as have room."""
    line = ""
    for index, minute in enumerate(evaluation.minutes):
        text = f"{minute} min" if index == 0 else str(minute)
        if len(line) < index * step or index == 0:
            line = f"{line:<{index * step}}{text}"
    return Text(" " * (_GUTTER + 2) + line, style="dim")


def _strip(evaluation: Evaluation, variant: Variant, step: int) -> Text:
    line = Text(f"{variant:>{_GUTTER}}  ", style=_STYLES[variant])
    for minute in evaluation.minutes:
        mark, style = _STATES[evaluation.courses[variant].states[minute]]
        line.append(mark * step, style=style)
    return line


def _notice(evaluation: Evaluation, severity: Severity, step: int) -> Text:
    """What happens in the minute in which the alert fires, left of its mark where it has no room at the right."""
    column = _GUTTER + 2 + evaluation.minutes.index(evaluation.notified) * step
    words = f"{severity} at minute {evaluation.notified}"
    line = f"{' ' * (column - len(words) - 1)}{words} ▲" if column > len(words) else f"{' ' * column}▲ {words}"
    return Text(line, style="bold")
