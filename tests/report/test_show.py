"""The comment, the terminal and the page: what is never cut, and what cannot break out of its place."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console
from support.events import BUCKET, SQL, error, outputs, report, step

from atwork.report import markdown, page, schema, summary, terminal
from atwork.report.model import StackReport


def many(count: int, op: str = "update", size: int = 20) -> StackReport:
    new = {"value": "y" * size}
    return report(*(step(op, BUCKET, f"b{number}", {"value": "x" * size}, new) for number in range(count)))


def balanced(text: str) -> bool:
    fences = re.findall(r"^(`{3,})(?:diff)?$", text, re.MULTILINE)
    return len(fences) % 2 == 0 and text.count("<details>") == text.count("</details>")


def danger(stack: str = "production") -> StackReport:
    old, new = {"region": "a", "_protect": True}, {"region": "b"}
    return report(step("replace", SQL, "main", old, new, stack=stack, keys=["region"]), stack=stack)


def test_the_comment_has_a_row_for_each_stack_and_what_needs_a_decision() -> None:
    text = markdown.render([many(2), report(stack="staging"), danger()], link="https://run/1")
    assert text.startswith(f"{markdown.MARKER}\n## 🟥 Preview: production needs a decision")
    assert "| ci | 🟨 changes | · | 2 | · | · | · | · | · | · |" in text
    assert "| staging | ⬜ no changes |" in text
    assert "| production | 🟥 needs a decision | · | · | 1 | · | 🔓 1 |" in text
    assert (
        "> [!CAUTION]\n> - production DatabaseInstance main: would be replaced because of region; it holds data and is protected; protect goes from true to false"
        in text
    )
    assert "+     region = b   # forces the replacement" in text
    assert balanced(text)


def test_equal_changes_are_shown_once() -> None:
    both = [
        report(step("update", BUCKET, "b", {"a": 1}, {"a": 2}, stack=stack), stack=stack) for stack in ("ci", "staging")
    ]
    text = markdown.render(both)
    assert text.count("update gcp:storage/bucket:Bucket b") == 1
    assert "<b>ci</b>, <b>staging</b>: 1 update (identical)" in text
    assert "| staging | 🟨 same as ci |" in text


@pytest.mark.parametrize(
    ("count", "op", "size"), [(400, "create", 20), (400, "update", 2000), (5000, "update", 20), (5000, "delete", 20)]
)
def test_it_fits_into_a_comment_and_keeps_the_table_and_the_decisions(count: int, op: str, size: int) -> None:
    text = markdown.render([many(count, op, size), danger()], link="https://run/1")
    assert len(text) <= markdown.LIMIT
    assert balanced(text)
    assert str(count) in text
    assert "production DatabaseInstance main: would be replaced" in text
    assert "! replace gcp:sql" in text


def test_values_cannot_break_out() -> None:
    nasty = "```\n</details><script>alert(1)</script> | @everyone <!-- atwork:preview -->"
    result = report(step("update", BUCKET, "b", {"a": "x"}, {"a": nasty}), error(nasty), outputs({}, {nasty: nasty}))
    failed = report(error(nasty), code=1)
    text = markdown.render([result, failed])
    fence = max(re.findall(r"^(`{3,})diff$", text, re.MULTILINE), key=len)
    assert len(fence) > 3
    outside = re.sub(rf"^{fence}diff$.*?^{fence}$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "<script>" not in outside
    assert "@everyone" not in outside
    assert outside.count(markdown.MARKER) == 1
    shown = page.render([result, failed])
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown


def test_a_failed_stack_is_a_row_with_its_error_and_partial_counts() -> None:
    text = markdown.render([report(step("create", BUCKET, "b", None, {"a": 1}), error("boom"), code=255)])
    assert "## ❌ Preview: ci failed" in text
    assert "| ci | ❌ failed, counts are partial | 1 |" in text
    assert "> - ci: boom" in text


def test_what_an_interrupted_update_left_is_told() -> None:
    text = markdown.render([report(pending=["creating main"])])
    assert "ci: an interrupted update left creating main" in text


def test_the_terminal_says_the_same() -> None:
    written = io.StringIO()
    terminal.show([many(1), danger(), report(error("boom"), code=1, stack="x")], Console(file=written, width=160))
    text = written.getvalue()
    assert "! production DatabaseInstance main: would be replaced because of region" in text
    assert "~ update gcp:storage/bucket:Bucket b0 [holds data]" in text
    assert "! x: boom" in text
    assert "failed (partial)" in text


@pytest.mark.parametrize(
    ("reports", "code"),
    [([], 0), ([report()], 0), ([many(1)], 2), ([many(1), danger()], 3), ([danger(), report(error("x"), code=1)], 1)],
)
def test_exit_codes(reports: list[StackReport], code: int) -> None:
    assert summary.code(reports) == code


def test_the_schema_of_the_report_is_current_and_every_report_keeps_it() -> None:
    assert schema.PATH.read_text() == schema.text(), "`make schema` rewrites it"
    described = json.loads(schema.text())
    everything = json.loads(danger().model_dump_json())
    assert set(everything) == set(described["properties"])
    assert described["properties"]["version"]["const"] == everything["version"]
    assert described["additionalProperties"] is False
