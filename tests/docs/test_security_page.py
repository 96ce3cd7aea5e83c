"""Every row of the table of attacks names a test that exists."""

from __future__ import annotations

import re

import pytest
from support.checkout import ROOT
from support.pages import DOCS

PAGE = DOCS / "security.md"
ROWS = [line.strip("|").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")][2:]


def test_there_are_rows() -> None:
    assert len(ROWS) > 5


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1].strip()[:60])
def test_a_row_names_tests_that_exist(row: list[str]) -> None:
    assert len(row) == 4, "who, what they try, what stops them, the test"
    tests = re.findall(r"`([^`]+)::([^`]+)`", row[3])
    assert tests
    for file, function in tests:
        path = ROOT / file
        assert path.exists(), file
        assert re.search(rf"\b(def|void) {re.escape(function)}\(", path.read_text()), f"{file} has no test {function}"
