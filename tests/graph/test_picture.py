"""README's picture is what the program declares today."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.mocks import Recording
from support.pictures import declared

from atwork.graph.draw import draw

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "topology.svg"


def test_the_picture_of_the_readme_is_current(recordings: dict[str, Recording], request: pytest.FixtureRequest) -> None:
    drawn = draw({stack: declared(stack, recordings[stack]) for stack in ("ci", "staging", "production")})
    if request.config.getoption("--update-golden"):
        FILE.write_text(drawn)
    assert FILE.exists(), "docs/topology.svg is missing; write it with `make golden`"
    assert drawn == FILE.read_text(), (
        "docs/topology.svg is not current; if the change is meant, `make golden` rewrites it"
    )


def test_the_readme_shows_it() -> None:
    assert "(docs/topology.svg)" in (ROOT / "README.md").read_text()
