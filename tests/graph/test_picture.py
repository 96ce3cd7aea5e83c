"""The picture of the README shows what the program declares."""

from __future__ import annotations

from pathlib import Path

from pytest_regressions.file_regression import FileRegressionFixture
from support.mocks import Recording
from support.pictures import declared

from atwork.graph.draw import draw

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "topology.svg"


def test_the_picture_of_the_readme_is_current(
    recordings: dict[str, Recording], file_regression: FileRegressionFixture
) -> None:
    """`make golden` rewrites it."""
    svg = draw({stack: declared(stack, recordings[stack]) for stack in ("ci", "staging", "production")})
    file_regression.check(svg, extension=".svg", fullpath=FILE)


def test_the_readme_shows_it() -> None:
    assert "(docs/topology.svg)" in (ROOT / "README.md").read_text()
