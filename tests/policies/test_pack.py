"""What the stack file says about policies, and how the pack hears of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi_policy import EnforcementLevel
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from infra.config import check_exemptions, parse, read_file
from infra.errors import ConfigError
from infra.schema import STACKS
from policies.pack import Here
from policies.properties import plain
from policies.rule import UNKNOWN, Environment, Resource, Rule
from policies.settings import read

EXEMPTION = {
    "policy": "database-private",
    "resource": "database-*",
    "reason": "an old tool, moved in May",
    "expires": "2099-01-01",
}


def config(**policies: Any) -> dict[str, str]:
    return {"atwork:stack": json.dumps({"environment": {"kind": "popup"}, "policies": policies})}


def validate(here: Here, token: str, name: str, props: dict[str, Any]) -> list[str]:
    told: list[str] = []
    args: Any = SimpleNamespace(
        resource_type=token,
        name=name,
        urn="u",
        props=unknown_checking_proxy(props),
        opts=SimpleNamespace(protect=False),
    )
    for policy in here.policies:
        check: Any = getattr(policy, "_ResourceValidationPolicy__validate", None)
        if check is not None:
            check(args, lambda message, _urn=None, policy=policy: told.append(f"{policy.name}: {message}"))
    return told


def test_a_stack_is_held_to_everything_until_its_file_says_otherwise() -> None:
    here = Here({})
    assert here.level == EnforcementLevel.MANDATORY
    here.take(config(mandatory=False))
    assert here.settings.environment.kind == "popup"
    assert {one.enforcement_level for one in here.policies} == {EnforcementLevel.ADVISORY}
    here.take({})
    assert {one.enforcement_level for one in here.held} == {EnforcementLevel.MANDATORY}


def test_an_exemption_covers_its_rule_and_resources_alone() -> None:
    token, props = "gcp:sql/databaseInstance:DatabaseInstance", {"settings": {}}
    here = Here(config())
    assert "database-private" in str(validate(here, token, "database-main", props))
    here.take(config(exemptions={"old": EXEMPTION}))
    told = str(validate(here, token, "database-main", props))
    assert "database-private" not in told
    assert "database-backups" in told
    assert "database-private" in str(validate(here, token, "other", props))


def test_an_exemption_that_is_over_covers_nothing() -> None:
    settings = read(config(exemptions={"old": {**EXEMPTION, "expires": "2020-01-01"}}))
    assert settings.exempting("database-private", "database-main") is None


def test_an_exemption_that_nothing_needs_is_told() -> None:
    here = Here(config(exemptions={"old": EXEMPTION}))
    assert unneeded(here) == ["policies.exemptions.old: database-* keeps database-private; remove the exemption"]
    validate(here, "gcp:sql/databaseInstance:DatabaseInstance", "database-main", {"settings": {}})
    assert unneeded(here) == []
    assert here.policies[-1].enforcement_level == EnforcementLevel.ADVISORY


@pytest.mark.parametrize(
    "text",
    [
        "[", "3", '{"policies": 3}', '{"policies": {"exemptions": []}}', '{"policies": {"exemptions": {"old": 3}}}',
        '{"environment": "popup", "policies": {"mandatory": "no"}}',
        *(json.dumps({"policies": {"exemptions": {"old": {**EXEMPTION, "expires": expires}}}})
          for expires in ("2099-01-01 00:00:00 +0000 UTC", "2099-01-01T00:00:00Z", "soon", None)),
    ],
)  # fmt: skip
def test_what_cannot_be_read_exempts_nothing_and_loosens_nothing(text: str) -> None:
    here = Here({"atwork:stack": text})
    assert here.level == EnforcementLevel.MANDATORY
    told = validate(here, "gcp:sql/databaseInstance:DatabaseInstance", "database-main", {"settings": {}})
    assert "database-private" in str(told)
    assert unneeded(here) == [
        f'policies.exemptions.{key}: exempts nothing; expires must be in quotes, such as "2027-06-30"'
        for key in here.settings.unreadable
    ]
    assert (here.settings.unreadable == ("old",)) is ('"old"' in text)


def unneeded(here: Here) -> list[str]:
    told: list[str] = []
    last: Any = here.policies[-1]
    last.validate(SimpleNamespace(resources=[]), lambda message, _urn=None: told.append(message))
    return told


def test_a_rule_that_fails_itself_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(one: Resource, here: Environment) -> Iterator[str]:
        yield dict[str, str]()["not there"]

    rule = Rule("broken-rule", "nobody asked for it", "It fails.", ("gcp:x/y:Z",), resource=broken)
    monkeypatch.setattr("policies.pack.ALL", (rule,))
    with pytest.raises(
        RuntimeError, match=r"the policy broken-rule itself failed on it: KeyError\('not there'\); mend"
    ):
        validate(Here({}), "gcp:x/y:Z", "it", {})


def test_unknown_values_become_the_one_that_breaks_nothing() -> None:
    proxied = unknown_checking_proxy({"a": UNKNOWN_STRING_VALUE, "b": [{"c": UNKNOWN_STRING_VALUE}, 1]})
    assert plain(proxied) == {"a": UNKNOWN, "b": [{"c": UNKNOWN}, 1]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expires": "2026-01-01"}, r"policies\.exemptions\.old\.expires: 2026-01-01 is over; mend database-\*"),
        ({"policy": "no-such-rule"}, r"policies\.exemptions\.old\.policy: there is no rule no-such-rule"),
        ({"reason": "because"}, r"exemptions\.old\.reason: String should have at least 15 characters"),
        ({"reason": None}, r"exemptions\.old\.reason: Input should be a valid string"),
    ],
)
def test_an_exemption_needs_a_rule_a_reason_and_a_day_to_come(change: dict[str, Any], message: str) -> None:
    stack = json.loads(read_file(STACKS / "Pulumi.staging.yaml") or "")
    stack["policies"] = {"exemptions": {"old": {**EXEMPTION, **change}}}
    with pytest.raises(ConfigError, match=message):
        check_exemptions("staging", parse("staging", json.dumps(stack)), date(2026, 6, 1))
