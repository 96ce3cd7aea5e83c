"""How much a report tells of values: all that is no secret, paths alone, or neither."""

from __future__ import annotations

from atwork.report.changes import NOT_SHOWN
from atwork.report.model import StackReport


def told(report: StackReport, values: str) -> StackReport:
    """The report with as much as `values` allows: `full`, `paths` or `none`. Counts, guards and names stay."""
    if values == "full":
        return report
    changes = [
        one.model_copy(
            update={
                "properties": tuple(
                    each.model_copy(update={"old": _side(each.old), "new": _side(each.new)}) for each in one.properties
                )
                if values == "paths"
                else ()
            }
        )
        for one in report.changes
    ]
    outputs = [one.model_copy(update={"old": _side(one.old), "new": _side(one.new)}) for one in report.outputs]
    policies = [one.model_copy(update={"message": NOT_SHOWN}) for one in report.policies]
    return report.model_copy(
        update={
            "changes": tuple(changes),
            "outputs": tuple(outputs),
            "policies": tuple(policies),
            "errors": report.errors if values == "paths" else tuple(NOT_SHOWN for _ in report.errors),
        }
    )


def _side(value: str | None) -> str | None:
    return None if value is None else NOT_SHOWN
