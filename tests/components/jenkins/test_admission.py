"""What the admission policy says, word by word: a changed operator is a hole that no count of rules shows."""

from __future__ import annotations

from conftest import Golden

from components.jenkins import admission


def test_golden(golden: Golden) -> None:
    golden("jenkins/admission.yaml", dict(admission.policy_spec()))


def test_only_the_rules_on_profiles_make_an_exception_and_only_for_buildkit() -> None:
    excepted = {message for message, rule in admission.RULES.items() if "buildkit" in rule}
    assert excepted == {
        "a seccomp profile for every container but buildkit",
        "no container without AppArmor but buildkit",
    }
    for message in excepted:
        assert "(c.name == 'buildkit' || " in admission.RULES[message]
