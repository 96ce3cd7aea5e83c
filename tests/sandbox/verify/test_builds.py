"""Pods of builds and tests that the admission policies refuse; real API servers refuse the same ones."""

from __future__ import annotations

import pytest
from support.build_pods import ASKED, BUILDKIT, POOL

from atwork.sandbox.verify import builds
from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.model import Pod
from components.jenkins import admission

IMAGE = f"{BUILDKIT}:v1"


def environment() -> EnvironmentObjects:
    return EnvironmentObjects(
        "ci",
        {},
        {
            ("ValidatingAdmissionPolicy", "", name): {"spec": dict(spec)}
            for name, spec in (
                (admission.POLICY, admission.policy_spec(IMAGE)),
                (admission.PLACEMENT_POLICY, admission.placement_spec(POOL)),
            )
        },
    )


@pytest.mark.parametrize("name", ASKED)
def test_a_rule_refuses_what_it_is_for(name: str) -> None:
    asked = ASKED[name]
    pod = Pod("ci", asked.namespace, "asked", "build", asked.body(IMAGE)["spec"])
    messages = [finding.what for finding in builds.check(pod, environment())]
    assert messages == ([f"pods of builds have {asked.refused}"] if asked.refused else [])


def test_every_rule_has_a_pod_that_breaks_it() -> None:
    last = list(admission.RULES)[-1]
    assert {asked.refused for asked in ASKED.values()} == {"", last, *admission.PLACEMENT_RULES}


def test_without_policies_nothing_is_refused() -> None:
    pod = Pod("ci", "jenkins-agents", "asked", "build", ASKED["any node"].body(IMAGE)["spec"])
    assert list(builds.check(pod, EnvironmentObjects("ci", {}, {}))) == []
