"""How much of each value a report shows: everything but secrets, paths only, or neither."""

from __future__ import annotations

from atwork.report.changes import NOT_SHOWN
from atwork.report.model import Change, StackReport


def disclosed(report: StackReport, values: str) -> StackReport:
    """The report with as much as `values` allows: `full`, `paths` or `none`. Counts, guards and names stay."""
    if values == "full":
        return report
    paths = values == "paths"
    return report.model_copy(
        update={
            "changes": tuple(_change(change, paths=paths) for change in report.changes),
            "outputs": tuple(output.model_copy(update=_sides(output.old, output.new)) for output in report.outputs),
            "policies": tuple(policy.model_copy(update={"message": NOT_SHOWN}) for policy in report.policies),
            "errors": report.errors if paths else tuple(NOT_SHOWN for _ in report.errors),
        }
    )


def _change(change: Change, *, paths: bool) -> Change:
    properties = [each.model_copy(update=_sides(each.old, each.new)) for each in change.properties] if paths else []
    return change.model_copy(update={"properties": tuple(properties)})


def _sides(old: str | None, new: str | None) -> dict[str, str | None]:
    """The old and the new value of a property or output, where there is one, without what it is."""
    return {"old": None if old is None else NOT_SHOWN, "new": None if new is None else NOT_SHOWN}
