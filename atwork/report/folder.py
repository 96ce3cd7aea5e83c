"""Reports in a folder: `atwork preview --out` writes them, and `atwork report` reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from atwork.errors import UsageError
from atwork.report import markdown, page
from atwork.report.model import StackReport
from atwork.report.read import Reading


def as_text(reports: Sequence[StackReport], form: str, topology: str = "") -> str:
    """The reports in a format; the page contains the picture."""
    if form == "markdown":
        return markdown.render(reports)
    if form == "html":
        return page.render(reports, topology)
    return json.dumps([report.model_dump(mode="json") for report in reports], indent=2) + "\n"


def keep(reports: Sequence[StackReport], out: Path, topology: str = "") -> None:
    """Write `report-STACK.json`, `report.md` and `report.html`: redacted, so that they can be published."""
    out.mkdir(parents=True, exist_ok=True)
    for report in reports:
        (out / f"report-{report.stack}.json").write_text(report.model_dump_json(indent=2) + "\n")
    (out / "report.md").write_text(markdown.render(reports))
    (out / "report.html").write_text(page.render(reports, topology))


def read(folder: Path, expected: Sequence[str], *, order: Sequence[str] = (), head: str = "") -> list[StackReport]:
    """The reports in a folder, in the order of the expected stacks, else in `order`, then by name.

    A stack without a report is reported as failed.
    """
    reports_by_stack: dict[str, StackReport] = {}
    for path in sorted(folder.rglob("report-*.json")):
        report = _read(path, head)
        if not expected or report.stack in expected:
            reports_by_stack[report.stack] = report
    for stack in expected:
        if stack not in reports_by_stack:
            reports_by_stack[stack] = _failed(stack, "no report, because its preview did not end; see the run")
    if not reports_by_stack:
        raise UsageError(f"{folder}: no report-STACK.json; run `atwork preview --out {folder}`")
    positions = {stack: number for number, stack in enumerate(expected or order)}
    return sorted(
        reports_by_stack.values(), key=lambda report: (positions.get(report.stack, len(positions)), report.stack)
    )


def _read(path: Path, head: str) -> StackReport:
    """A report; a file that cannot be read counts as failed, so that no older comment stays valid."""
    try:
        report = StackReport.model_validate_json(path.read_text())
    except (ValidationError, UnicodeDecodeError):
        stack = path.stem.removeprefix("report-")
        return _failed(
            stack, f"{path.name} is not a report of this version of atwork; merge the change of the format first"
        )
    if head and report.head != head:
        return _failed(report.stack, f"its report is for another commit, {report.head[:12] or 'none'}; see the run")
    return report


def _failed(stack: str, reason: str) -> StackReport:
    reading = Reading(stack)
    reading.errors.append(reason)
    return reading.report(code=1)
