"""Reports of tests in JUnit's format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET


def summary(reports: Iterable[Path]) -> str:
    """The number of tests, how long they took and which failed; `ParseError` for a report that is no XML."""
    cases = [case for path in reports for case in ET.parse(path).getroot().iter("testcase")]  # noqa: S314 (own)
    failed = [
        str(case.get("name")) for case in cases if any(case.find(end) is not None for end in ("failure", "error"))
    ]
    names = f": {', '.join(failed)}" if failed else ""
    return f"{len(cases)} tests in {sum(map(_seconds, cases)):.1f} s, {len(failed)} failed{names}"


def _seconds(case: ET.Element) -> float:
    """The duration of a test; 0 if its report does not say it."""
    try:
        return float(case.get("time", "0").replace(",", ""))  # some reporters write 1,234.5
    except ValueError:
        return 0.0
