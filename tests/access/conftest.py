"""The resources of the real stacks, simulated once for all tests of access."""

from __future__ import annotations

import pytest
from support.cloud import Simulated, projects, simulated

from atwork.access import planned
from atwork.access import simulated as cloud
from atwork.access.model import AccessModel
from atwork.environments.bootstrap import plan as plans
from infra.config import STACKS, read_all

LONG_LIVED = ("ci", "staging", "production")


@pytest.fixture(scope="session")
def stacks() -> dict[str, Simulated]:
    return {name: simulated(name) for name in LONG_LIVED}


@pytest.fixture(scope="session")
def program(stacks: dict[str, Simulated]) -> AccessModel:
    """Bindings of the program."""
    objects = [item for simulation in stacks.values() for item in simulation.objects]
    return cloud.model(objects, projects(read_all().values()))


@pytest.fixture(scope="session")
def platform(program: AccessModel) -> AccessModel:
    """Bindings of the program and of bootstrap."""
    return program.join(planned.model(plans.read(name, STACKS) for name in LONG_LIVED))
