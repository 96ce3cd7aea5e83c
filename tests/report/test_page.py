"""The page, in a browser where there is one: its script runs, and its search finds and hides."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from support.events import BUCKET, SQL, outputs, report, step

from atwork.report import page
from atwork.report.model import StackReport

CHROMIUM = next(
    (result for name in ("chromium", "chromium-browser", "google-chrome") if (result := shutil.which(name))), ""
)
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20"><text y="15">the drawing</text></svg>'


def reports() -> list[StackReport]:
    changes = [step("update", BUCKET, f"bucket-{number}", {"size": number}, {"size": 99}) for number in range(8)]
    danger = step(
        "replace", SQL, "main", {"region": "a", "_protect": True}, {"region": "b"}, keys=["region"], stack="production"
    )
    return [report(*changes, outputs({"host": "a"}, {"host": "b"})), report(danger, stack="production")]


def created() -> str:
    return page.render(reports(), topology=DRAWING)


def test_the_page_needs_nothing_else_and_has_the_drawing_where_there_is_one() -> None:
    text = created()
    assert DRAWING in text
    assert re.findall(r"""(?:src|href)=["']?(?!["']?#)[^\s>]+""", text) == []
    assert "default-src 'none'" in text
    assert "<figure" not in page.render(reports())


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., str]:
    """What stands in the page after its script ran, for a search in its address."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium here: Debian's package `chromium` brings one")
    (tmp_path / "report.html").write_text(created())

    def dump(search: str = "") -> str:
        address = f"file://{tmp_path}/report.html" + (f"#{quote(search)}" if search else "")
        command = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path}/profile", "--dump-dom", address]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return dump


def leaves(dom: str) -> dict[str, tuple[bool, bool]]:
    """Name of each change or output, whether it is seen and whether it is open."""
    result = re.findall(r'<details class="leaf"([^>]*)>.*?<b>(.*?)</b>', dom, re.DOTALL)
    return {name: (" hidden" not in attributes, " open" in attributes) for attributes, name in result}


def test_without_a_search_all_is_there_and_the_dangers_are_open(opened: Callable[..., str]) -> None:
    result = leaves(opened())
    assert {name: seen for name, (seen, _) in result.items()} == dict.fromkeys(
        [*(f"bucket-{number}" for number in range(8)), "main", "host"], True
    )
    assert [name for name, (_, is_open) in result.items() if is_open] == ["main"]


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("bucket-3", ["bucket-3"]),
        ("production", ["main"]),
        ("REGION replacement", ["main"]),
        ("DatabaseInstance", ["main"]),
        ("host", ["host"]),
        ("nothing of the kind", []),
    ],
)
def test_a_search_finds_by_name_type_stack_property_and_value(
    opened: Callable[..., str], search: str, names: list[str]
) -> None:
    dom = opened(search)
    assert [name for name, (seen, _) in leaves(dom).items() if seen] == names
    assert f">{len(names)} of 10<" in dom
    branches = re.findall(r'<details class="branch"([^>]*)>\s*<summary><b class="names">(\w+)</b>', dom)
    shown = {name for attributes, name in branches if " hidden" not in attributes}
    assert shown == ({"production"} if names == ["main"] else {"ci"} if names else set())
