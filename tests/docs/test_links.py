"""Every page can be reached from the start page, and every relative link leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checkout import ROOT
from support.pages import DOCS, PAGES, anchors, links, paths

EXAMPLES = (
    "services/stock.yaml",
    "services/payments/ledger.yaml",
    "stacks/Pulumi.staging.payments.yaml",
    "infra/kubernetes.py",
    "infra/platform.py",
)
"""Files that pages name and that do not exist."""


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def index_of(page: Path) -> Path:
    """The page that has to link to a page: README.md in its folder, or in the nearest folder above that has one."""
    folder = page.parent.parent if page.name == "README.md" else page.parent
    return next(index for parent in (folder, *folder.parents) if (index := parent / "README.md").exists())


def test_there_are_pages() -> None:
    assert len(PAGES) > 30


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_relative_to(DOCS)], ids=page_id)
def test_a_page_is_linked_once_from_its_index(page: Path) -> None:
    index = index_of(page)
    targets = [(index.parent / path).resolve() for path, _ in links(index) if path]
    assert targets.count(page) == 1, f"link {page_id(page)} once from {page_id(index)}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page_id(page)}: {path} does not exist"
        assert not anchor or anchor in anchors(target), f"{page_id(page)}: {page_id(target)} has no heading #{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_files_that_a_page_names_exist(page: Path) -> None:
    assert [path for path in paths(page) if path not in EXAMPLES and not (ROOT / path).exists()] == []


def test_names_of_files_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`atwork/nowhere.py`, `stacks/Pulumi.NAME.yaml`, `atwork up`, `docs/adr/`\n\n```\n`atwork/block.py`\n```\n"
    )
    assert paths(page) == ["atwork/nowhere.py", "docs/adr/"]


def test_the_start_page_is_linked_from_the_readme_which_is_short() -> None:
    readme = ROOT / "README.md"
    assert ("docs/README.md", "") in links(readme)
    assert ("CONTRIBUTING.md", "") in links(readme)
    assert len(readme.read_text().splitlines()) <= 120


def test_a_heading_has_the_anchor_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# 1. Who may `do` what?\n\n## With [a link](x.md), too\n\n```\n# not a heading\n```\n")
    assert anchors(page) == {"1-who-may-do-what", "with-a-link-too"}
