"""The text of the admission policy: a changed operator is a gap that the number of rules does not show."""

from __future__ import annotations

from typing import Any

from conftest import Golden

from components.jenkins import admission


def test_golden(golden: Golden) -> None:
    golden("jenkins/admission.yaml", dict(admission.policy_spec("r/buildkit:v1")))
    golden("jenkins/placement.yaml", dict(admission.placement_spec("agents")))


def test_only_the_rules_on_profiles_have_an_exception_and_only_for_buildkit() -> None:
    with_exception = {message for message, rule in admission.RULES.items() if "== 'buildkit' ||" in rule}
    assert with_exception == {
        "a seccomp profile for every container but buildkit",
        "no container without AppArmor but buildkit",
    }
    for message in with_exception:
        assert "(c.name == 'buildkit' || " in admission.RULES[message]


def test_the_container_with_exceptions_is_the_platforms_own() -> None:
    rule = admission.RULES["only the platform's BuildKit as the container buildkit"]
    assert "c.image == variables.buildkit" in rule
    spec: Any = admission.policy_spec("r/buildkit:v1")
    variables = {item["name"]: item["expression"] for item in spec["variables"]}
    assert variables["buildkit"] == "'r/buildkit:v1'"


def test_placement_applies_to_builds_and_tests() -> None:
    spec: Any = admission.placement_binding_spec()
    selector = spec["match_resources"]["namespace_selector"]
    assert selector["match_expressions"][0]["values"] == ["jenkins-agents", "jenkins-tests"]
