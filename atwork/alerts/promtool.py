"""Tests of alert rules by promtool."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from atwork.alerts.cases import Case, cases_of
from atwork.toolchain import programs
from components.monitoring.rule_file import rule_file
from components.monitoring.selection import ActiveRule

_NAME = "expression"
_VALUE = re.compile(rf"time: (?:(\d+)h)?(?:(\d+)m)?(?:0s)?,\n\s+exp: nil\n\s+got: \{{{_NAME}=\"(\w+)\"\}} (\S+)")
"""A value in the output of promtool: hours, minutes, the name of the expression, the number."""

Change = Callable[[ActiveRule], ActiveRule]


@dataclass(frozen=True)
class RuleTests:
    """The result of promtool."""

    passed: bool
    output: str

    @property
    def failed(self) -> frozenset[str]:
        """The names of the tests that failed."""
        return frozenset(re.findall(r"name: ([a-z-]+ (?:firing|quiet|boundary))", self.output))


def check(folder: Path, rules: Iterable[ActiveRule]) -> RuleTests:
    """`promtool check rules`, with every lint as an error."""
    return check_file(folder, rule_file(rules))


def check_file(folder: Path, content: object) -> RuleTests:
    """`promtool check rules` for the content of a rule file."""
    return _run("check", "rules", "--lint=all", "--lint-fatal", str(_write(folder, "rules", content)))


def run_tests(
    folder: Path, groups: Sequence[Mapping[str, Any]], tests: Sequence[object], *, minutes: int = 1
) -> RuleTests:
    """`promtool test rules` for groups of rules, which are evaluated in their order every few minutes."""
    path = _write(folder, "rules", {"groups": groups})
    content = {
        "rule_files": [str(path)],
        "evaluation_interval": f"{minutes}m",
        "group_eval_order": [group["name"] for group in groups],  # at random otherwise
        "tests": tests,
    }
    return _run("test", "rules", str(_write(folder, "tests", content)))


def run(
    folder: Path, rules: Iterable[ActiveRule], cases: Mapping[str, Case], change: Change = lambda active: active
) -> RuleTests:
    """`promtool test rules` with all cases of the rules; `change` makes rules wrong after their cases are written.

    A file for each rule: promtool evaluates all rules of a file for each test.
    """
    files: list[Path] = []
    for active in rules:
        path = _write(folder, f"{active.rule.id}-rule", rule_file([change(active)]))
        files.append(_write(folder, f"{active.rule.id}-cases", cases_of(active, cases[active.rule.id], path)))
    return _run("test", "rules", *map(str, files))


def values(
    folder: Path,
    active: ActiveRule,
    series: Sequence[Mapping[str, str]],
    expressions: Mapping[str, str],
    minutes: Iterable[int],
) -> dict[str, dict[int, float]]:
    """The values of expressions without labels, by their name and the minute, while the rule is evaluated.

    promtool prints a value only where a test expects another one, so that these tests expect none.
    """
    named = [f'label_replace({expression}, "{_NAME}", "{name}", "", "")' for name, expression in expressions.items()]
    test = {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {"expr": expression, "eval_time": f"{minute}m", "exp_samples": []}
            for minute in minutes
            for expression in named
        ],
    }
    rules = _write(folder, "rules", rule_file([active]))
    content = {"rule_files": [str(rules)], "evaluation_interval": f"{active.interval}s", "tests": [test]}
    output = _run("test", "rules", str(_write(folder, "values", content))).output
    evaluated: dict[str, dict[int, float]] = {name: {} for name in expressions}
    for hours, minute, name, value in _VALUE.findall(output):
        if not math.isnan(float(value)):
            evaluated[name][60 * int(hours or 0) + int(minute or 0)] = float(value)
    return evaluated


def _write(folder: Path, name: str, content: object) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(content, indent=1))  # JSON is YAML, and is written faster
    return path


def _run(*arguments: str) -> RuleTests:
    program = str(programs.promtool(Console(stderr=True)))
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return RuleTests(done.returncode == 0, done.stdout + done.stderr)
