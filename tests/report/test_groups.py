"""Groups without changes are one line for each environment; everything else keeps its row."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from rich.console import Console
from support.reports import change, deletion, many_reports, stack_report

from atwork.report import folder, groups, markdown, slack, terminal
from atwork.report.model import Held, Output, Policy, StackReport


def shown(reports: list[StackReport]) -> str:
    written = io.StringIO()
    terminal.show(reports, Console(file=written, width=200))
    return written.getvalue()


def quiet(environment: str, *names: str) -> list[StackReport]:
    return [stack_report(f"{environment}.{name}") for name in names]


@settings(deadline=None, max_examples=40)
@given(many_reports())
def test_each_stack_is_a_row_or_a_name_of_its_environment(reports: list[StackReport]) -> None:
    rows, folded = groups.fold(reports)
    names = {f"{item.environment}.{group}" for item in folded for group in item.groups}
    assert sorted([*(row.stack for row in rows), *names]) == sorted(report.stack for report in reports)
    assert len({item.environment for item in folded}) == len(folded)
    assert [row.stack for row in rows] == [report.stack for report in reports if report.stack not in names]
    by_stack = {report.stack: report for report in reports}
    for name in names:
        report = by_stack[name]
        assert (report.result, report.complete) == ("unchanged", True)
        content = (report.changes, report.outputs, report.policies, report.errors, report.noise, report.pending)
        assert not any((*content, report.held, report.held_unread, report.new))


@pytest.mark.parametrize(
    "about",
    [
        {"outputs": (Output(name="host", old="a", new="b"),), "result": "changes"},
        {"policies": (Policy(name="labels", resource="main", message="none", mandatory=False),)},
        {"errors": ("boom",)},
        {"complete": False, "result": "failed"},
        {"held": (Held(id="1", owner="ada"),)},
        {"held_unread": "Cloud Storage answered 403"},
        {"pending": ("creating main",)},
        {"noise": ("b.checksum: computed again (until 2099-01-31)",)},
        {"new": True},
    ],
    ids=lambda about: next(iter(about)),
)
def test_a_group_with_anything_to_say_keeps_its_row(about: dict[str, Any]) -> None:
    report = stack_report("staging.payments", **about)
    assert groups.fold([report]) == ([report], [])


def test_the_stack_of_an_environment_is_never_folded() -> None:
    assert groups.fold([stack_report("staging")])[1] == []


def test_few_names_are_in_the_line_and_many_behind_it() -> None:
    few, many = quiet("ci", "orders", "payments"), quiet("staging", *(f"team-{number}" for number in range(38)))
    text = markdown.render([*few, *many, stack_report("staging", change("staging", "web"))])
    assert "\n- ci: 2 groups unchanged (orders, payments)\n" in text
    assert "<details><summary>staging: 38 groups unchanged</summary>\n\nteam-0, team-1," in text
    assert text.count("| staging") == 1
    assert "\n41 stacks: 1 with changes, 40 without changes\n" in text
    lines = shown([*few, *many]).splitlines()
    assert lines == [
        "ci: 2 groups unchanged (orders, payments)",
        "staging: 38 groups unchanged",
        "40 stacks: 40 without changes",
    ]


def test_one_group_is_no_plural_and_providers_that_were_not_asked_are_named() -> None:
    [folded] = groups.fold([stack_report("staging.payments", unasked=True)])[1]
    assert folded.line == "staging: 1 group unchanged, providers not asked (payments)"


def test_json_has_every_stack() -> None:
    reports = quiet("staging", "orders", "payments")
    assert [item["stack"] for item in json.loads(folder.as_text(reports, "json"))] == [
        "staging.orders",
        "staging.payments",
    ]


def test_many_stacks_are_shown_by_importance_and_few_in_the_order_of_updates() -> None:
    stacks = [f"staging.team-{number}" for number in range(11)]
    reports = [stack_report(stack, change(stack, "web")) for stack in stacks]
    reports[4] = stack_report(stacks[4], deletion(stacks[4]))
    reports[7] = stack_report(stacks[7], errors=("boom",))
    reports[9] = stack_report(stacks[9], pending=("creating main",))
    assert [report.stack for report in groups.ordered(reports)][:4] == [stacks[number] for number in (7, 4, 9, 0)]
    assert groups.ordered(reports[:10]) == reports[:10]


def test_the_message_in_slack_is_as_short_with_2000_stacks() -> None:
    stacks = [f"{environment}.team-{number}" for environment in ("staging", "production") for number in range(1000)]
    quiet_ones = [stack_report(stack) for stack in stacks]
    for reports in (
        quiet_ones,
        [stack_report(stack, errors=(f"boom in {stack}",)) for stack in stacks],
        [*quiet_ones[1:], stack_report(stacks[0], deletion(stacks[0]))],
    ):
        body: Any = slack.message("Drift", reports, link="https://run/1")
        texts = [block["text"]["text"] for block in body["blocks"]]
        assert all(0 < len(text) < 3000 for text in texts)
        assert len(body["text"]) < 500
    assert "• staging.team-0 DatabaseInstance main: would be deleted" in "\n".join(texts)
    assert "staging: 999 groups unchanged\nproduction: 1,000 groups unchanged" in texts
