"""The summary of test reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from atwork.pipeline.junit import summary


def test_reports_of_all_suites_are_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        '<testsuites time="9"><testsuite time="9"><testcase name="one" time="1.25"/>'
        '<testcase name="two" time="0.5"><failure/></testcase></testsuite></testsuites>'
    )
    (tmp_path / "b.xml").write_text('<testsuite><testcase name="three"><error/></testcase></testsuite>')
    assert summary(sorted(tmp_path.glob("*.xml"))) == "3 tests in 1.8 s, 2 failed: two, three"


@pytest.mark.parametrize(("time", "shown"), [("1,234.5", "1234.5"), ("soon", "0.0")])
def test_a_time_is_written_in_more_than_one_way(tmp_path: Path, time: str, shown: str) -> None:
    (tmp_path / "a.xml").write_text(f'<testsuite><testcase name="one" time="{time}"/></testsuite>')
    assert summary([tmp_path / "a.xml"]) == f"1 tests in {shown} s, 0 failed"


def test_without_reports_no_test_has_run() -> None:
    assert summary([]) == "0 tests in 0.0 s, 0 failed"
