"""The text of the admission policy: a changed operator is a gap that the number of rules does not show."""

from __future__ import annotations

from conftest import Golden

from components.jenkins import admission


def test_golden(golden: Golden) -> None:
    golden("jenkins/admission.yaml", dict(admission.policy_spec()))


def test_only_the_rules_on_profiles_have_an_exception_and_only_for_buildkit() -> None:
    with_exception = {message for message, rule in admission.RULES.items() if "buildkit" in rule}
    assert with_exception == {
        "a seccomp profile for every container but buildkit",
        "no container without AppArmor but buildkit",
    }
    for message in with_exception:
        assert "(c.name == 'buildkit' || " in admission.RULES[message]
