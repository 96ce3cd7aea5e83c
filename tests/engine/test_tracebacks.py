"""What ended the program stands before its traceback, whatever Python prints."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from atwork.engine.events import Diagnostic, error
from atwork.engine.tracebacks import cause, cause_first

STACK = "urn:pulumi:ci::atwork::pulumi:pulumi:Stack::atwork-ci"
HERE = str(Path(__file__).relative_to(Path.cwd()))


class Settings(BaseModel):
    """A model whose errors have several lines."""

    nodes: int


def plainly() -> None:
    raise ValueError("there is no pool builders")


def in_a_library() -> None:
    json.loads("{")


def caused() -> None:
    try:
        {}["pool"]  # pyright: ignore[reportUnusedExpression, reportArgumentType]
    except KeyError as missing:
        raise RuntimeError("the settings are incomplete") from missing


def while_handling() -> None:
    try:
        plainly()
    except ValueError:
        raise TypeError("a second mistake")  # noqa: B904


def of_several_lines() -> None:
    Settings.model_validate({"nodes": "many"})


def with_a_note() -> None:
    mistake = ValueError("wrong")
    mistake.add_note("in services/orders.yaml")
    raise mistake


def grouped() -> None:
    mistakes: list[Exception] = []
    for function in (plainly, caused):
        try:
            function()
        except (ValueError, RuntimeError) as mistake:
            mistakes.append(mistake)
    raise ExceptionGroup("two tasks failed", mistakes)


def recursive() -> None:
    recursive()


def unreadable() -> None:
    compile("pools = [", "infra/parts/pools.py", "exec")


def printed(function: Callable[[], None]) -> str:
    """What Pulumi's SDK reports for a program that ends with the exception of a function."""
    try:
        function()
    except (Exception, RecursionError):  # noqa: BLE001 (whatever the function raises)
        return f"Program failed with an unhandled exception:\n{traceback.format_exc()}"
    raise AssertionError("did not fail")


@pytest.mark.parametrize(
    ("function", "begin", "contains"),
    [
        (plainly, "ValueError: there is no pool builders", ()),
        (in_a_library, "json.decoder.JSONDecodeError: Expecting property name", ()),
        (caused, "RuntimeError: the settings are incomplete", ()),
        (while_handling, "TypeError: a second mistake", ()),
        (of_several_lines, "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings", ("nodes",)),
        (with_a_note, "ValueError: wrong", ("in services/orders.yaml",)),
        (
            grouped,
            "ExceptionGroup: two tasks failed (2 sub-exceptions): ValueError: there is no pool builders",
            ("RuntimeError: the settings are incomplete",),
        ),
        (recursive, "RecursionError: maximum recursion depth exceeded", ()),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_cause_and_its_place_come_first_and_the_traceback_stays(
    function: Callable[[], None], begin: str, contains: tuple[str, ...]
) -> None:
    text = printed(function)
    reason = cause(text)
    assert reason.startswith(begin)
    assert f"({HERE}:" in reason.splitlines()[0]
    assert all(part in reason for part in contains)
    assert "Traceback" not in reason
    assert cause_first(text) == f"{reason}\n{text}"


def test_a_program_that_python_cannot_read_names_its_file() -> None:
    assert cause(printed(unreadable)).startswith("SyntaxError: '[' was never closed (infra/parts/pools.py:1)")


@pytest.mark.parametrize(
    "text",
    [
        "boom",
        "",
        "Traceback (most recent call last):",
        "panic: nil\n\ngoroutine 1 [running]:\nmain.main()",
        "ValueError: x",
    ],
)
def test_a_text_without_an_exception_stays(text: str) -> None:
    assert cause(text) == cause_first(text) == text


def test_an_error_of_the_engine_says_its_cause_on_one_line() -> None:
    event = {"diagnosticEvent": {"severity": "error", "message": printed(plainly), "urn": STACK}}
    diagnostic = error(event)
    assert isinstance(diagnostic, Diagnostic)
    assert str(diagnostic).startswith(f"ValueError: there is no pool builders ({HERE}:")
    assert "Traceback (most recent call last)" in str(diagnostic)
    assert diagnostic.line == str(diagnostic).splitlines()[0]
