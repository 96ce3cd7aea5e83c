"""The comment of very many stacks: within its limit, what matters first, and it says what is left out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reports import change, deletion, many_reports, stack_report

from atwork.report import groups, markdown, summary
from atwork.report.model import StackReport
from atwork.report.sections import sections
from atwork.report.text import fitting, listed, shares, size

LIMITS = (markdown.LIMIT, markdown.LIMIT // 2, markdown.LIMIT // 8)
STACKS = [f"{environment}.team-{number}" for environment in ("staging", "production") for number in range(1000)]
LONG = [f"{'e' * 60}-{number % 2}.{'g' * 58}-{number}" for number in range(2000)]


def left_out(text: str) -> dict[str, int]:
    """What the comment says is left out, by its name."""
    line = next((line for line in text.splitlines() if line.startswith("Left out, because")), "")
    assert ("`report.html` of [the run](https://run/1) shows them." in line) == bool(line)
    return {name: int(count.replace(",", "")) for count, name in re.findall(r"([\d,]+) ([a-z ]+?)[,.]", line)}


def balanced(text: str) -> bool:
    fences = re.findall(r"^(`{3,})(?:diff)?$", text, re.MULTILINE)
    return len(fences) % 2 == 0 and text.count("<details>") == text.count("</details>")


@settings(deadline=None, max_examples=60)
@given(many_reports(), st.sampled_from(LIMITS), st.sampled_from([(), ("To continue, a maintainer adds the label.",)]))
def test_any_mixture_fits_and_nothing_is_missing_in_silence(
    reports: list[StackReport], limit: int, notes: tuple[str, ...]
) -> None:
    text = markdown.render(reports, link="https://run/1", limit=limit, notes=notes)
    assert len(text) <= limit
    assert balanced(text)
    assert all(note in text for note in notes)
    rows, folded = groups.fold(groups.ordered(reports))
    missing = left_out(text)
    shown = re.findall(r"^\| (\S+) \| \S+ ", text, re.MULTILINE)[1:]  # without the header
    assert shown == [row.stack for row in rows][: len(shown)], "the most important rows are shown"
    assert len(shown) + missing.get("rows of the table", 0) == len(rows)
    lines = re.findall(r": [\d,]+ groups? unchanged", text)
    assert len(lines) + missing.get("environments whose groups are unchanged", 0) == len(folded)
    assert ("> [!CAUTION]" in text) == any(summary.decisions(row) for row in rows)
    absent = {stack for section in sections(rows) if f": {section.title}<" not in text for stack in section.stacks}
    assert len(absent) <= int((re.findall(r"details of ([\d,]+) stack", text) or ["0"])[0].replace(",", ""))


@pytest.mark.parametrize("stacks", [STACKS, LONG], ids=["short", "long"])
def test_2000_failures_with_one_reason_are_one_sentence(stacks: list[str]) -> None:
    text = markdown.render([stack_report(stack, errors=("boom",)) for stack in stacks], link="https://run/1")
    assert len(text) <= markdown.LIMIT
    assert re.findall(r"^> - .*$", text, re.MULTILINE) == [f"> - {listed(stacks, 3)}: boom"]
    assert "2,000 stacks: 2,000 failed" in text
    assert list(left_out(text)) == ["rows of the table"]


def test_2000_different_failures_are_the_first_and_the_number_of_the_others() -> None:
    reports = [stack_report(stack, errors=(f"boom in {stack}", *map(str, range(5)))) for stack in STACKS]
    text = markdown.render(reports, link="https://run/1")
    quoted = re.findall(r"^> - (.*)$", text, re.MULTILINE)
    assert quoted[:2] == ["staging.team-0: boom in staging.team-0", "staging.team-1: boom in staging.team-1"]
    assert len(quoted) > 200, "the first error of each stack, before the second of any"
    assert all("boom in" in line for line in quoted[:-1])
    missing = left_out(text)["sentences about decisions"]
    assert quoted[-1] == f"and {missing:,} more"
    assert len(quoted) - 1 + missing == 2000 * 6


def test_of_2000_changed_stacks_failures_and_deletions_come_first() -> None:
    reports = [stack_report(stack, change(stack, f"web-{stack}")) for stack in LONG]
    reports[1500] = stack_report(LONG[1500], errors=("boom",))
    reports[1200] = stack_report(LONG[1200], deletion(LONG[1200]))
    text = markdown.render(reports, link="https://run/1")
    assert len(text) <= markdown.LIMIT
    rows = re.findall(r"^\| (\S+) \|", text, re.MULTILINE)[1:]
    assert rows[:3] == [LONG[1500], LONG[1200], LONG[0]]
    assert f"> - {LONG[1500]}: boom\n> - {LONG[1200]} DatabaseInstance main: would be deleted" in text
    titles = re.findall(r"^<details><summary><b>(\S+)</b>: (.*)</summary>$", text, re.MULTILINE)
    assert titles[0] == (LONG[1200], "1 delete")
    missing = left_out(text)
    assert missing["rows of the table"] == 2000 - len(rows)
    assert re.search(r", details of 1,9\d\d stacks\. `report.html`", text)


def test_one_change_of_2000_stacks_is_all_there() -> None:
    reports = [stack_report(stack) for stack in STACKS]
    reports[77] = stack_report(STACKS[77], change(STACKS[77], "web"))
    text = markdown.render(reports, link="https://run/1")
    assert left_out(text) == {}
    assert "## 🟨 Preview: changes in staging.team-77" in text
    assert "+     spec.replicas = 2" in text
    assert "staging: 999 groups unchanged" in text
    assert "team-999" in text
    assert text.count("\n| ") == 2


def test_the_names_of_a_change_that_2000_stacks_share_are_the_first() -> None:
    reports = [stack_report(stack, change(stack, "web")) for stack in STACKS]
    text = markdown.render(reports, link="https://run/1")
    assert "and 1,990 more: 1 update (the same in each)" in text


@given(st.lists(st.integers(0, 1000), max_size=6), st.integers(-10, 3000))
def test_a_space_is_divided_fairly(needs: list[int], space: int) -> None:
    parts = shares(needs, space)
    assert all(0 <= part <= need for part, need in zip(parts, needs, strict=True))
    assert sum(parts) <= max(space, 0)
    cut = [part for part, need in zip(parts, needs, strict=True) if part < need]
    if cut:
        assert sum(parts) > space - len(needs), "no space is lost"
        assert max(parts) <= max(cut) + len(needs), "no part gets more than one that is cut"


@given(st.lists(st.text(max_size=9), max_size=9), st.integers(-1, 60))
def test_lines_that_fit_are_the_first(lines: list[str], space: int) -> None:
    result = fitting(lines, space)
    assert result == lines[: len(result)]
    assert size(result) <= max(space, 0)
    assert len(result) == len(lines) or size(lines[: len(result) + 1]) > space
