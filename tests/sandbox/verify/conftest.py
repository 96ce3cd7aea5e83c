"""The shipped environments as the simulated clouds hold them, and their pods, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checkout import LONG_LIVED, ROOT
from support.cloud import simulated

from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.verify.checks import PodPlan, plan


@pytest.fixture(scope="session")
def shipped() -> list[CloudObject]:
    """All objects of ci, staging and production; to be read and not changed."""
    objects: list[CloudObject] = []
    for stack in LONG_LIVED:
        google, recording = simulated(stack)
        objects += google
        for resource in recording.resources.values():
            if resource.custom and resource.type.startswith("kubernetes:"):
                place = resource.inputs if resource.type.startswith("kubernetes:helm") else resource.inputs["metadata"]
                identity = "/".join(filter(None, (place.get("namespace"), place["name"])))
                objects.append(
                    CloudObject(f"https://{stack}", resource.type, identity, resource.urn, resource.inputs, {})
                )
    return objects


@pytest.fixture(scope="session")
def planned(shipped: list[CloudObject], helm: Path) -> PodPlan:
    """All pods, with the controller of Jenkins as it is described here, also where its chart is at hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("JENKINS_CHART_DIR", raising=False)
        return plan(shipped, ROOT, helm)
