"""The page, in a browser where there is one: its script runs, and its search finds and hides."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from support.events import BUCKET, SQL, outputs, report, step
from support.programs import need
from support.reports import change, deletion, stack_report

from atwork.report import page
from atwork.report.model import StackReport
from atwork.toolchain.machine import PROGRAMS

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
    """The content of the page after its script ran, for a search in its address."""
    need("chromium")
    chromium = str(PROGRAMS["chromium"].path)

    def dump(search: str = "", text: str = "") -> str:
        (tmp_path / "report.html").write_text(text or created())
        address = f"file://{tmp_path}/report.html" + (f"#{quote(search)}" if search else "")
        command = [chromium, *QUIET, f"--user-data-dir={tmp_path}/profile", "--dump-dom", address]
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


STACKS = [f"{environment}.team-{number:03}" for environment in ("staging", "production") for number in range(60)]


def of_groups() -> list[StackReport]:
    """120 stacks: 110 with a change of their own, one with a deletion, one that failed, eight without changes."""
    changed = [stack_report(stack, change(stack, f"web-{stack}")) for stack in STACKS]
    changed[59] = stack_report(STACKS[59], deletion(STACKS[59]))
    changed[119] = stack_report(STACKS[119], errors=("boom",))
    changed[40:48] = [stack_report(stack) for stack in STACKS[40:48]]
    return changed


def rows(dom: str) -> list[str]:
    """The stacks in the table, without what waits in the template."""
    shown = dom[dom.index('<tbody id="stacks">') : dom.index("</tbody>")]
    return re.findall(r"<tr><td>(.*?)</td>", shown)


def sections_shown(dom: str) -> list[str]:
    """The titles of the sections that are in the document."""
    shown = dom[dom.index('<div id="sections">') : dom.index('<template id="sections-more">')]
    return re.findall(r'<b class="names">(.*?)</b>', shown)


def test_many_stacks_are_pages_with_the_important_first(opened: Callable[..., str]) -> None:
    dom = opened(text=page.render(of_groups()))
    assert rows(dom) == [STACKS[119], STACKS[59], *STACKS[:23]]
    assert sections_shown(dom) == [STACKS[59], *STACKS[:19]]
    assert re.findall(r'<nav id="(\w+)-pages"[^>]*(hidden)?[^>]*>', dom) == [("stacks", ""), ("sections", "")]
    assert re.search(r"staging: 8 groups unchanged</summary><ul><li>team-040</li>", dom)
    assert "120 stacks: 1 failed, 1 with a decision to make, 110 with changes, 8 without changes" in dom


def test_a_search_looks_at_all_pages_and_at_the_groups_without_changes(opened: Callable[..., str]) -> None:
    text = page.render(of_groups())
    dom = opened("production team-050", text)
    assert rows(dom) == sections_shown(dom) == ["production.team-050"]
    assert '<span id="found">1 of 111</span>' in dom
    assert '<span id="found-stacks">1 of 112</span>' in dom
    folded = opened("staging.team-041", text)
    assert re.findall(r"<li>(team-\d+)</li>", folded) == ["team-041"]
    assert rows(folded) == sections_shown(folded) == []


TURN = """<script>
document.querySelectorAll("#stacks-pages button")[1].click();
const page = document.querySelector("#sections-pages input");
page.value = "99";
page.dispatchEvent(new Event("change"));
</script></html>"""


def test_the_buttons_turn_pages_and_stop_at_the_last(opened: Callable[..., str]) -> None:
    dom = opened(text=page.render(of_groups()).replace("</html>", TURN))
    assert rows(dom)[0] == STACKS[23]
    assert sections_shown(dom)[-1] == STACKS[118]
    assert len(sections_shown(dom)) == 111 % 20
    previous, following = re.findall(
        r'<button type="button" aria-disabled="(\w+)">', dom[dom.index('<nav id="sections-pages"') :]
    )
    assert (previous, following) == ("false", "true")


def test_without_its_script_it_shows_the_first_and_says_so() -> None:
    text = page.render(of_groups())
    assert "shows the first 25 rows of the table and the first 20 sections" in text
    shown = text[text.index('<tbody id="stacks">') : text.index("</tbody>")]
    assert re.findall(r"<tr><td>(.*?)<td>", shown) == [STACKS[119], STACKS[59], *STACKS[:23]]
    assert re.search(r'<input id="search"[^>]* hidden', text), "a search that does nothing is not shown"
    assert "<noscript>" not in page.render(reports())


def test_2000_changed_stacks_are_a_page_of_a_sensible_size() -> None:
    stacks = [f"{environment}.team-{number}" for environment in ("staging", "production") for number in range(1000)]
    text = page.render([stack_report(stack, *(change(stack, f"{stack}-{n}") for n in range(5))) for stack in stacks])
    assert len(text) < 6_000_000
    assert text.count('<details class="leaf"') == 10_000
    shared = page.render([stack_report(stack, change(stack, "web"), change(stack, "api")) for stack in stacks])
    assert shared.count("staging.team-77,") == 1, "names that many changes have in common are there once"


def test_a_page_that_would_be_too_large_names_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_MAX_SIZE", 2_000)
    text = page.render(of_groups())
    assert text.count('<details class="leaf"') < 10
    assert (
        "staging.team-030</b>: 1 update. This page is too large for the details; they are in report-staging.team-030.json."
        in text
    )
