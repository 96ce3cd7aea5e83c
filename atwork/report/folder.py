"""Reports in a folder: what `atwork preview --out` writes, and what `atwork report` reads."""

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
    """The reports in one of the forms; the page has the picture."""
    if form == "markdown":
        return markdown.render(reports)
    if form == "html":
        return page.render(reports, topology)
    return json.dumps([report.model_dump(mode="json") for report in reports], indent=2) + "\n"


def keep(reports: Sequence[StackReport], out: Path, topology: str = "") -> None:
    """Write `report-STACK.json`, `report.md` and `report.html`: redacted, so that they may be artifacts."""
    out.mkdir(parents=True, exist_ok=True)
    for report in reports:
        (out / f"report-{report.stack}.json").write_text(report.model_dump_json(indent=2) + "\n")
    (out / "report.md").write_text(markdown.render(reports))
    (out / "report.html").write_text(page.render(reports, topology))


def read(folder: Path, expected: Sequence[str], *, order: Sequence[str] = (), head: str = "") -> list[StackReport]:
    """The reports in a folder, in the order of the expected stacks, else in `order`, then by name.

    A stack without a report has failed, and is not left out.
    """
    found: dict[str, StackReport] = {}
    for path in sorted(folder.rglob("report-*.json")):
        one = _read(path, head)
        if not expected or one.stack in expected:
            found[one.stack] = one
    for stack in expected:
        if stack not in found:
            found[stack] = _failed(stack, "there is no report: its preview did not come to an end; see the run")
    if not found:
        raise UsageError(f"{folder}: no report-STACK.json in it; `atwork preview --out {folder}` writes them")
    position = {stack: number for number, stack in enumerate(expected or order)}
    return sorted(found.values(), key=lambda report: (position.get(report.stack, len(position)), report.stack))


def _read(path: Path, head: str) -> StackReport:
    """One report; what cannot be used is a failure and not silence, which would leave an older comment standing."""
    try:
        one = StackReport.model_validate_json(path.read_text())
    except (ValidationError, UnicodeDecodeError):
        stack = path.stem.removeprefix("report-")
        return _failed(stack, f"{path.name} is no report of this version of atwork; a change of the report goes first")
    if head and one.head != head:
        return _failed(one.stack, f"its report is of another commit, {one.head[:12] or 'none'}; see the run")
    return one


def _failed(stack: str, why: str) -> StackReport:
    missing = Reading(stack)
    missing.errors.append(why)
    return missing.report(code=1)
