"""What is the same in several stacks is shown once, and the row says how the state is."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from support.events import BUCKET, DEPLOYMENT, SQL, UNKNOWN, error, outputs, report, step, urn

from atwork.report import markdown, page, summary, tables, terminal
from atwork.report.disclosure import disclosed
from atwork.report.model import Held, StackReport
from atwork.report.read import Reading
from atwork.report.sections import sections
from atwork.report.tables import Noise


def item(stack: str, *changes: tuple[str, int], **about: Any) -> StackReport:
    return report(
        *(
            step("update", BUCKET, name, {"v": 0, "project": stack}, {"v": value, "project": stack}, stack=stack)
            for name, value in changes
        ),
        stack=stack,
        **about,
    )


def titles(*reports: StackReport) -> list[str]:
    return [f"{', '.join(result.stacks)}: {result.title}" for result in sections(reports)]


def test_a_single_change_that_two_stacks_share_is_shown_once_with_their_names() -> None:
    """Though their inputs differ in what does not change, such as the project."""
    ci, staging, production = item("ci", ("a", 1)), item("staging", ("a", 1), ("b", 2)), item("production", ("b", 3))
    assert titles(ci, staging, production) == [
        "ci, staging: 1 update (the same in each)",
        "staging: 1 update",
        "production: 1 update",
    ]
    text = markdown.render([ci, staging, production])
    assert text.count("update gcp:storage/bucket:Bucket a") == 1
    assert text.count("update gcp:storage/bucket:Bucket b") == 2


def test_identical_is_said_of_equal_fingerprints_alone() -> None:
    same = [
        report(step("update", BUCKET, "a", {"v": 0}, {"v": 1}, stack=stack), stack=stack) for stack in ("ci", "staging")
    ]
    assert titles(*same) == ["ci, staging: 1 update (identical)"]
    broken = report(step("update", BUCKET, "a", {"v": 0}, {"v": 1}), error("boom"), code=1)
    assert titles(broken, same[1]) == ["ci, staging: 1 update (the same in each)"]


def test_what_policies_say_of_equal_changes_is_lost_for_no_stack() -> None:
    def judged(stack: str, level: str) -> StackReport:
        result = {"policyName": "p", "resourceUrn": urn(BUCKET, "a"), "message": "m", "enforcementLevel": level}
        change = step("update", BUCKET, "a", {"v": 0}, {"v": 1}, stack=stack)
        return report(change, {"policyEvent": result}, stack=stack)

    text = markdown.render([judged("ci", "advisory"), judged("staging", "mandatory")])
    assert text.count("⚠️ `p`") == text.count("❌ `p`") == 1


def test_a_policy_is_one_line_with_its_resources_below() -> None:
    names = [f"bucket-{number}" for number in range(6)]
    violations: list[dict[str, Any]] = [
        {
            "policyName": "labels",
            "resourceUrn": urn(BUCKET, name),
            "message": "x\n\n  has no owner",
            "enforcementLevel": level,
        }
        for level in ("advisory", "mandatory")
        for name in names
    ]
    result = report(*({"policyEvent": violation} for violation in violations))
    written = io.StringIO()
    terminal.show([result], Console(file=written, width=200))
    for text in (written.getvalue(), markdown.render([result]), page.render([result])):
        assert text.count("x has no owner") == 2, "once as advice, once as broken"
        assert text.count("bucket-5") >= 2
    lines = [line.strip() for line in written.getvalue().splitlines()]
    start = lines.index("broken labels: x has no owner")
    assert lines[start + 1 : start + 7] == names
    assert summary.decisions(result) == [f"ci: {', '.join(names)} violate the policy labels"]


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 2), max_size=3), min_size=1, max_size=4))
def test_every_change_of_every_stack_is_in_exactly_one_section(wanted: list[dict[str, int]]) -> None:
    reports = [item(f"s{number}", *result.items()) for number, result in enumerate(wanted)]
    shown = [
        (stack, change.name, change.properties[0].new)
        for result in sections(reports)
        for change in result.changes
        for stack in result.stacks
    ]
    expected = [
        (f"s{number}", name, str(value)) for number, result in enumerate(wanted) for name, value in result.items()
    ]
    assert sorted(shown) == sorted(expected)


HELD = Held(id="1f0c", owner="ada@laptop, pid 7, for 5 min", run="https://run/1")


def test_the_row_says_how_old_the_state_is_what_is_pending_and_who_holds_it() -> None:
    about: dict[str, Any] = {"created_at": "2026-11-25T12:00:00+00:00", "updated": "2026-11-19T11:00:00+00:00"}
    old = report(**about, pending=["creating main"], held=(HELD,))
    assert summary.state(old) == ["6 d old", "1 pending", "locked by ada@laptop, pid 7, for 5 min"]
    assert summary.state(report(new=True)) == ["no state yet"]
    assert summary.state(report(held_unread="Cloud Storage answered 403")) == ["locks not read"]
    assert summary.state(report(unasked=True)) == ["providers not asked"]
    text = markdown.render([old])
    assert "| 🔒 6 d old, 1 pending, locked by ada@\u200blaptop, pid 7, for 5 min |" in text
    assert "- ci is being updated by https://run/1, by ada@\u200blaptop" in text
    assert "2026-11-25 12:00 UTC" in text


@pytest.mark.parametrize(
    ("updated", "age"),
    [
        ("2026-11-25T11:59:30+00:00", "30 s old"),
        ("2026-11-25T11:15:00+00:00", "45 min old"),
        ("2026-11-25T10:00:00+00:00", "2 h old"),
        ("2026-11-25T12:00:05+00:00", "0 s old"),
    ],
)
def test_ages_are_as_people_say_them(updated: str, age: str) -> None:
    assert summary.state(report(created_at="2026-11-25T12:00:00+00:00", updated=updated)) == [age]


def test_policies_that_looked_are_counted_and_none_is_no_success() -> None:
    looked = {"policyAnalyzeSummaryEvent": {"resourceUrn": "x", "passed": ["a", "b"], "failed": ["c"]}}
    whole = {"policyAnalyzeStackSummaryEvent": {"passed": ["d"]}}
    again = {"policyAnalyzeSummaryEvent": {"resourceUrn": "y", "passed": ["a"]}}
    result = report(looked, whole, again)
    assert summary.policy(result) == (0, 0, 4)
    assert "| ✅ 4 |" in markdown.render([result])
    assert "✅" not in markdown.render([report()])


def test_types_that_nobody_classified_are_named_once() -> None:
    strange = "gcp:quantum/computer:Computer"
    operated = "kubernetes:postgresql.cnpg.io/v1:Cluster"
    reports = [
        report(
            step("create", strange, "a", None, {}),
            step("create", operated, "b", None, {}),
            step("create", DEPLOYMENT, "c", None, {}),
            stack=stack,
        )
        for stack in ("ci", "staging")
    ]
    assert reports[0].unclassified == (strange, operated)
    text = markdown.render(reports)
    assert text.count(f"not classified, so check whether they hold data: {strange}, {operated}") == 1
    assert report(step("same", strange, "a", {}, {})).unclassified == ()


def test_every_type_of_the_project_is_classified() -> None:
    import re
    from pathlib import Path

    golden = Path(__file__).parents[1] / "golden"
    types = {
        result
        for path in golden.glob("*.yaml")
        for result in re.findall(r"(?:gcp|kubernetes):[\w./]+:\w+", path.read_text())
    }
    assert len(types) > 40
    assert tables.unclassified(types) == ()


def test_no_type_is_in_both_tables_by_name() -> None:
    from fnmatch import fnmatchcase

    patterns = [item for item in tables.stateless() if not item.endswith("/*")]
    assert [kind for kind in tables.stateful() for item in patterns if fnmatchcase(kind, item)] == []


def test_an_output_names_the_stacks_that_read_it() -> None:
    reading = Reading("ci")
    for event in (
        outputs({"platform": {"url": "a"}, "other": 1}, {"platform": {"url": UNKNOWN}, "other": 2}),
        {"summaryEvent": {}},
        {"cancelEvent": {}},
    ):
        reading.take(event)
    result = reading.report(code=0, read_by=lambda name: ("staging", "production") if name == "platform.url" else ())
    assert {item.name: item.read_by for item in result.outputs} == {
        "platform.url": ("staging", "production"),
        "other": (),
    }
    assert "output platform.url: a → (known after apply)   # read by staging, production" in markdown.render([result])


def test_noise_is_left_out_until_its_day_and_never_takes_another_change_with_it() -> None:
    noise = (Noise(urn="*::b", path="checksum", reason="computed again", expires=date(2099, 1, 31)),)

    def read(*events: dict[str, Any]) -> StackReport:
        reading = Reading("ci", known_noise=noise)
        for event in (*events, {"summaryEvent": {}}, {"cancelEvent": {}}):
            reading.take(event)
        return reading.report(code=0)

    alone = read(step("update", BUCKET, "b", {"checksum": 1}, {"checksum": 2}))
    assert (alone.changes, alone.noise) == ((), ("b.checksum: computed again (until 2099-01-31)",))
    assert alone.result == "unchanged"
    assert "left out as noise: b.checksum: computed again (until 2099-01-31)" in markdown.render([alone])
    beside = read(step("update", BUCKET, "b", {"checksum": 1, "a": 1}, {"checksum": 2, "a": 2}))
    assert [result.path for result in beside.changes[0].properties] == ["a"]
    hidden = read(
        step("update", BUCKET, "b", {"checksum": 1}, {"checksum": 2}, detailedDiff={"secretThing": {"kind": "update"}})
    )
    assert [result.path for result in hidden.changes[0].properties] == ["secretThing"]
    assert [result.name for result in read(step("update", BUCKET, "c", {"checksum": 1}, {"checksum": 2})).changes] == [
        "c"
    ]


def test_what_has_expired_is_shown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = [{"urn": "*", "path": "*", "reason": "r", "expires": date(2026, 11, 25)}]
    monkeypatch.setattr(tables.yaml, "safe_load", lambda _: entry)
    assert len(tables.noise(date(2026, 11, 25))) == 1
    assert tables.noise(date(2026, 11, 26)) == ()


def test_a_difference_that_only_the_provider_sees_is_named_by_its_path() -> None:
    result = report(step("update", SQL, "main", {"a": 1}, {"a": 1}, detailedDiff={"settings.tier": {"kind": "update"}}))
    [change] = result.changes
    assert change.hidden_only
    assert [(each.path, each.old) for each in change.properties] == [("settings.tier", "[not shown]")]


def test_values_are_told_as_much_as_is_asked_for() -> None:
    result = report(
        step("replace", SQL, "main", {"region": "north", "_protect": True}, {"region": "south"}, keys=["region"]),
        outputs({"host": "north"}, {"host": "south"}),
        error("south is full"),
    )
    assert disclosed(result, "full") == result
    for level in ("paths", "none"):
        text = markdown.render([disclosed(result, level)])
        assert ("north" in text, "protect" in text, "`host`" in text) == (False, True, True)
    assert "region = [not shown]" in markdown.render([disclosed(result, "paths")])
    assert disclosed(result, "none").changes[0].properties == ()
    assert disclosed(result, "none").fingerprint == result.fingerprint
    assert summary.code([disclosed(result, "none")]) == summary.code([result])


def test_very_many_decisions_are_each_shorter_and_none_is_cut() -> None:
    reports = [
        report(*(error(f"{number} {'x' * 900}") for number in range(10)), code=1, stack=f"stack-{number}")
        for number in range(60)
    ]
    text = markdown.render(reports, link="https://run/1")
    assert len(text) <= markdown.LIMIT
    assert sum(line.startswith("> - stack-") for line in text.splitlines()) == 600
    assert sum(line.startswith("| stack-") for line in text.splitlines()) == 60
