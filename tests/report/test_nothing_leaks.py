"""Whatever the engine writes: nothing is lost, nothing fails, and no secret comes out in any form."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from support.events import BUCKET, DEPLOYMENT, END, SECRET, SQL, error, outputs, report, step

from atwork.engine import wire
from atwork.report import folder, markdown, page, slack, terminal
from atwork.report.disclosure import disclosed
from atwork.report.model import StackReport
from atwork.report.read import Reading

PLANTED = 'Zq9"\\pläñted&<secret>'
"""With all that JSON, HTML and Markdown write in another way."""


def everywhere(result: StackReport) -> str:
    """The report in every form, with what each form writes in another way read back."""
    written = io.StringIO()
    terminal.show([result], Console(file=written, width=200))
    forms = [written.getvalue(), markdown.render([result]), page.render([result]), result.model_dump_json()]
    forms.append(json.dumps(slack.message("x", [result]), ensure_ascii=False))
    forms.append(folder.as_text([result], "json"))
    return "\n".join(forms)


def leaks(text: str) -> bool:
    """Whether a piece of it stands there that no other word has, however it is written."""
    return "Zq9" in text or "ñted" in text or "\\u00f1ted" in text


_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_KINDS = st.sampled_from([BUCKET, SQL, DEPLOYMENT, "kubernetes:core/v1:Secret", "acme:index:Thing"])
_OPS = st.sampled_from(["same", "create", "update", "delete", "replace", "read", "import", "teleport"])
_FORMS: list[Any] = [
    SECRET,
    {wire.SECRET: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(PLANTED)},
    {wire.SECRET: "1b47061264138c4ac30d75fd1eb44270", "value": PLANTED},
    "[secret]",
]


@st.composite
def planted(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two trees, alike but for one place, which is secret on one side and in clear on the other."""
    hidden, clear = draw(st.sampled_from(_FORMS)), draw(st.sampled_from([PLANTED, [PLANTED], {"a": {"b": PLANTED}}]))
    sides: list[Any] = [hidden, clear]
    if draw(st.booleans()):
        sides.reverse()
    for _ in range(draw(st.integers(0, 4))):
        around = draw(_TREES)
        if draw(st.booleans()):
            sides = [[around, side] for side in sides]
        else:
            key = draw(st.text(min_size=1, max_size=5).filter(lambda key: not key.startswith("__")))
            sides = [{"other": around, key: side} for side in sides]
    return {"p": sides[0]}, {"p": sides[1]}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(planted(), _OPS, _KINDS, st.sampled_from(["inputs", "outputs", "stack"]), st.sampled_from([0, 255]))
def test_a_secret_at_any_place_comes_out_in_no_form(
    sides: tuple[Any, Any], op: str, kind: str, place: str, code: int
) -> None:
    """The program prints it, a policy quotes it, and another resource and an output contain it in plaintext."""
    old, new = sides
    if place == "inputs":
        events = [step(op, kind, "x", old, new)]
    elif place == "outputs":
        events = [step(op, kind, "x", {"a": 1, "_outputs": old}, {"a": 2, "_outputs": new})]
    else:
        events = [outputs(old, new)]
    quoted = {"policyName": "p", "message": f"{PLANTED} is not allowed", "enforcementLevel": "mandatory"}
    events += [
        error(f"cannot log in with {PLANTED} at host"),
        {"policyEvent": {"resourceUrn": "urn:pulumi:ci::atwork::a:b:C::x", **quoted}},
        step("update", BUCKET, "copy", {"note": "x" * 390}, {"note": f"{'x' * 390}{PLANTED}", "map": {"k": [PLANTED]}}),
        outputs({"copied": "x", **old}, {"copied": PLANTED, **new}),
    ]
    if op == "delete":  # then one side alone is there, and it must be the secret one to be known
        events.append(step("update", kind, "y", old, new))
    result = report(*events, code=code)
    assert not leaks(everywhere(result))
    for values in ("paths", "none"):
        assert not leaks(everywhere(disclosed(result, values)))


@pytest.mark.parametrize("key", ["rootPassword", "token", "privateKey", "clientSecret", "kubeconfig"])
def test_what_stands_at_a_hidden_path_is_quoted_nowhere(key: str) -> None:
    result = report(
        step("update", SQL, "main", {key: PLANTED}, {key: "another-value"}),
        error(f"refused {PLANTED} and another-value"),
        outputs({}, {"host": f"postgres://u:{PLANTED}@h"}),
        code=0,
    )
    text = everywhere(result)
    assert not leaks(text)
    assert "another-value" not in text
    assert "postgres://u:[secret]@h" in text


def test_a_secret_that_a_long_value_ends_with_is_not_cut_in_two() -> None:
    result = report(
        step("update", BUCKET, "b", {"s": SECRET}, {"s": "plainsecret"}),
        step("update", BUCKET, "c", {"a": ""}, {"a": f"{'x' * 395}plainsecret"}),
        error(f"{'y' * 1995}plainsecret"),
    )
    assert "plain" not in everywhere(result)


def test_long_values_with_one_beginning_are_told_apart() -> None:
    result = report(step("update", BUCKET, "b", {"a": "x" * 500 + "1"}, {"a": "x" * 500 + "2"}))
    [item] = result.changes[0].properties
    assert item.old != item.new


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.just("same")
    | st.just("urn:pulumi:a::b::c:d:E::f"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "metadata",
                    "op",
                    "urn",
                    "type",
                    "old",
                    "new",
                    "inputs",
                    "outputs",
                    "keys",
                    "detailedDiff",
                    "resourcePreEvent",
                    "resOutputsEvent",
                    "resOpFailedEvent",
                    "diagnosticEvent",
                    "policyEvent",
                    "policyAnalyzeSummaryEvent",
                    "passed",
                    "failed",
                    "severity",
                    "message",
                    "summaryEvent",
                    "kind",
                    "parent",
                    "urn:pulumi:a::b::c:d:E::g",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_JSON, max_size=4))
def test_no_event_at_all_makes_it_crash_and_a_strange_one_is_no_success(events: list[Any]) -> None:
    reading = Reading("ci")
    for event in (*events, *END):
        reading.take(event)
    result = reading.report(code=0)
    assert StackReport.model_validate_json(result.model_dump_json()) == result
    everywhere(result)
    if any(not isinstance(event, dict) and event is not None for event in events):
        assert result.result == "failed"


@pytest.mark.parametrize(
    "event",
    [
        {"resourcePreEvent": {}},
        {"resourcePreEvent": {"metadata": {"urn": "x"}}},
        {"resourcePreEvent": {"metadata": {"urn": "x", "op": "update", "old": "text"}}},
        {"resourcePreEvent": {"metadata": {"urn": "x", "op": "update", "old": {"inputs": ["text"]}}}},
        {"resOutputsEvent": {"metadata": {"urn": "x", "op": "same"}}},
        {"diagnosticEvent": "boom"},
        {"policyEvent": []},
        "text",
    ],
)
def test_an_event_without_the_form_of_one_makes_the_report_a_failure(event: Any) -> None:
    result = report(step("update", BUCKET, "b", {"a": 1}, {"a": 2}), event)
    assert (result.result, result.complete) == ("failed", False)
    assert "1 events of the engine have an unknown form" in result.errors[0]
    assert result.counts["update"] == 1


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(_OPS, st.booleans(), st.booleans()), max_size=6),
    st.sampled_from([1, 2]),
)
def test_every_change_is_in_every_form(steps: dict[str, tuple[str, bool, bool]], stacks: int) -> None:
    """Each resource that any step changes is named by the comment, the page and the terminal."""
    reports = [
        report(
            *(
                step(
                    op, BUCKET, f"bucket-{name}", {"v": 1, "_protect": before}, {"v": 2, "_protect": after}, stack=stack
                )
                for name, (op, before, after) in steps.items()
            ),
            stack=stack,
        )
        for stack in ("ci", "staging")[:stacks]
    ]
    expected = {f"bucket-{name}" for name, (op, before, after) in steps.items() if op != "same" or before != after}
    assert {change.name for change in reports[0].changes} == expected
    written = io.StringIO()
    terminal.show(reports, Console(file=written, width=200))
    for text in (written.getvalue(), markdown.render(reports), page.render(reports)):
        assert {name for name in expected if name in text} == expected
        assert text.count("bucket-") >= len(expected)
