"""Fixtures for all tests: golden files that one command rewrites, and one run of the program for each stack."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import hypothesis
import pytest
import yaml
from pytest_regressions.file_regression import FileRegressionFixture
from rich.console import Console
from support import programs, soak
from support.mocks import Recording, unchanged
from support.program import run_stack

from atwork.containers.errors import obstacles

# No test measures time, because machines are busy.
for name, fixed in (("search", False), ("repeat", True)):
    hypothesis.settings.register_profile(
        name, deadline=None, derandomize=fixed, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
hypothesis.settings.load_profile(os.environ.get("ATWORK_TEST_EXAMPLES", "search"))

GOLDEN = Path(__file__).parent / "golden"


def pytest_configure() -> None:
    """Choose the soak's seed before any worker is started, so that all have the same."""
    soak.seed()
    import_module("atwork.cli")  # registers the sandbox, as the command does


def pytest_report_header() -> str:
    """Print the soak's seed."""
    return soak.header()


Golden = Callable[[str, object], None]
"""Compare plain data with tests/golden/PATH."""


@pytest.fixture
def golden(file_regression: FileRegressionFixture) -> Golden:
    """`golden("jenkins/values.yaml", data)` fails if the data differs from the file; `make golden` rewrites the file."""

    def compare(path: str, data: object) -> None:
        # Text, not data: the order of keys and lists is part of what Jenkins and reviewers read.
        text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
        file_regression.check(text, extension=".yaml", fullpath=GOLDEN / path)

    return compare


@pytest.fixture(scope="session")
def recordings() -> Iterator[dict[str, Recording]]:
    """What the program declares for each real stack file; a test that changes it makes the last one fail."""
    with unchanged({stack: run_stack(stack) for stack in ("ci", "staging", "production")}) as recordings:
        yield recordings


class _Dumper(yaml.SafeDumper):
    """Block style, with embedded documents as literal blocks so that their changes show line by line."""

    def ignore_aliases(self, data: object) -> bool:
        """Write repeated parts out."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


@pytest.fixture(scope="session")
def helm() -> Path:
    """Helm 3, built first where there is none (`make tools`)."""
    from atwork.toolchain.programs import helm

    return helm(Console(stderr=True))


@pytest.fixture(scope="session")
def containers() -> None:
    """Containers run on this machine."""
    programs.skip(obstacles())


@pytest.fixture(scope="session")
def pipelines() -> None:
    """Pipelines are played on this machine."""
    programs.need("java", "mvn")
