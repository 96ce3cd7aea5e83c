"""The pages of the settings reference are current and name every setting with its type and its default."""

from __future__ import annotations

import pytest
from support.checkout import ROOT
from support.examples import settings

from infra.reference.page import REFERENCE, pages
from infra.reference.sections import SettingsSection, sections


def test_the_pages_are_current() -> None:
    texts = pages()
    assert {*REFERENCE.iterdir()} == {*texts}, "remove the pages of sections that no longer exist"
    for path, text in texts.items():
        assert path.read_text() == text, f"run `make schema`: {path.relative_to(ROOT)}"


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.name)
def test_a_page_has_every_setting_and_every_example(section: SettingsSection) -> None:
    page = pages()[REFERENCE / f"{section.name}.md"]
    for model, name in settings(section.model):
        assert f"\n| `{name}` | " in page, f"{model.__name__}.{name}"
    for path in section.examples().values():
        assert path.read_text() in page


@pytest.mark.parametrize(
    ("page", "row"),
    [
        ("network", "| `database_endpoints` | integer, 1 to 64 | `8` | "),
        ("network", "| `sampling` | number, more than 0, 1 at most | `0.5` | "),
        ("network", "| `nat` | [NatSettings](#natsettings) | its defaults | "),
        ("network", "| `nodes` | text, such as `10.0.0.0/20` | required | "),
        ("cluster", "| `cidrs` | map of names to text, such as `203.0.113.0/24`"),
        ("databases", '| `edition` | `ENTERPRISE`, `ENTERPRISE_PLUS` | `"ENTERPRISE"` | '),
        ("encryption", "| `hardware` | `true` or `false` | `false` | "),
        ("environment", "| `expires_at` | date and time, such as `2027-01-31T18:00:00Z` | not set | "),
        ("jenkins", '| `test_quota` | [QuotaSettings](#quotasettings) | `{"cpu": "64", '),
        ("policies", "| `expires` | date, such as `2027-06-30` | required | "),
        (
            "tenants",
            "| `accounts` | list of a name of at most 63 lower-case letters, digits and hyphens, a letter first, ",
        ),
        ("README", "| [`cluster`](cluster.md) | section | its defaults | "),
    ],
)
def test_a_setting_has_its_type_and_default(page: str, row: str) -> None:
    assert f"\n{row}" in pages()[REFERENCE / f"{page}.md"]
