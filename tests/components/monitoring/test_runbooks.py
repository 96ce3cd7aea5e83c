"""Every alert has a page, and every page an alert."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.monitoring.catalog import RULES
from components.monitoring.logs import LOG_RULES
from infra.layout import RUNBOOKS

FOLDER = Path(__file__).parents[3] / RUNBOOKS
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
TITLES = {key: rule.title for key, rule in RULES.items()} | {key: rule.title for key, rule in LOG_RULES.items()}


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert {path.stem for path in PAGES} == TITLES.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_all_its_parts(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {TITLES[page.stem]}\n")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    rehearsal = ["Rehearse it"] if "```console sandbox" in text else []
    assert parts[::2] == ["What you see", "What to do", *rehearsal, "How it ends"]
    assert all(part.strip() for part in parts)
    assert re.search(r"^1\. ", parts[3], re.MULTILINE), "steps are numbered"


def test_the_index_shows_how_urgent_each_alert_is() -> None:
    rows = dict(
        re.findall(r"^\| \[([a-z-]+)\]\(\1\.md\) \| (.+) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    )
    for key, rule in {**RULES, **LOG_RULES}.items():
        severities = (rule.severities.production, rule.severities.test, rule.severities.build)
        assert rows[key] == " | ".join([rule.title, *(severity or "·" for severity in severities)])
    assert rows.keys() == TITLES.keys()
