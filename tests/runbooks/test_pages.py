"""What every page has, and how its rehearsal is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from runbooks.rehearsal import Command, commands

FOLDER = Path(__file__).parents[2] / "docs" / "runbooks"
PAGES = sorted(path for path in FOLDER.rglob("*.md") if commands(path))
"""The pages that have a rehearsal."""


def test_there_are_rehearsals_and_every_page_is_in_the_index() -> None:
    assert len(PAGES) >= 6
    index = (FOLDER / "README.md").read_text()
    assert [path.name for path in FOLDER.glob("*.md") if path.stem != "README" and f"]({path.name})" not in index] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent == FOLDER], ids=lambda page: page.stem)
def test_a_page_has_all_its_parts(page: Path) -> None:
    """Pages of alerts have other parts (tests/components/monitoring/test_runbooks.py)."""
    headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
    assert headings == ["When", "What you see", "What to do", "Rehearse it", "Done when"]


@pytest.mark.parametrize("page", [*PAGES, FOLDER / "README.md"], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+\.md)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_a_rehearsal_is_read_with_what_it_shows(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ gcloud x\n```\n```console sandbox\n$ one\nshown … here\n\n$ two   # fails\n```\n")
    assert commands(page) == [Command("one", ("shown … here",)), Command("two", fails=True)]


def test_what_is_shown_has_to_appear_on_one_line() -> None:
    command = Command("one", ("ci  done", "made … here"))
    assert command.missing("ci     done   12\nmade it here") == []
    assert command.missing("ci: done\nmade it\nhere") == ["ci  done", "made … here"]
