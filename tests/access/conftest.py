"""What the real stacks make, run once for all tests of access."""

from __future__ import annotations

import pytest
from support.cloud import Simulated, projects, simulated

from atwork.access import planned
from atwork.access import simulated as cloud
from atwork.access.model import AccessModel
from atwork.environments.bootstrap import plan as plans
from infra.config import STACKS, read_all

LASTING = ("ci", "staging", "production")


@pytest.fixture(scope="session")
def stacks() -> dict[str, Simulated]:
    return {name: simulated(name) for name in LASTING}


@pytest.fixture(scope="session")
def program(stacks: dict[str, Simulated]) -> AccessModel:
    """Bindings of the program."""
    objects = [one for made in stacks.values() for one in made.objects]
    return cloud.model(objects, projects(read_all().values()))


@pytest.fixture(scope="session")
def platform(program: AccessModel) -> AccessModel:
    """Bindings of the program and of bootstrap."""
    return program.join(planned.model(plans.of(name, STACKS) for name in LASTING))
