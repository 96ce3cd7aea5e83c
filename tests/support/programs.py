"""What tests need of the machine: they are skipped without it, or fail where `.ci/run` has installed it."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from atwork.toolchain import machine

VARIABLE = "ATWORK_TEST_PROGRAMS"


def need(*names: str) -> None:
    """Skip the test, or the tests of a fixture, if the machine lacks one of these programs."""
    skip(machine.missing(names))


def skip(problems: Sequence[str]) -> None:
    """Skip because of problems of the machine, if there are any; fail where `.ci/run` says that there are none."""
    if problems and os.environ.get(VARIABLE) == "required":
        pytest.fail("; ".join(problems), pytrace=False)
    if problems:
        pytest.skip("; ".join(problems))
