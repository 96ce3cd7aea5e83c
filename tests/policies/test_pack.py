"""The policy settings of a stack file, and how the pack applies them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from pulumi_policy import EnforcementLevel
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from infra.config import check_exemptions, parse, read_file
from infra.errors import ConfigError
from infra.schema import STACKS
from policies.pack import PackState
from policies.properties import plain
from policies.rule import UNKNOWN, CheckedResource, Rule, StackContext
from policies.settings import read, read_stack

EXEMPTION = {
    "policy": "database-private",
    "resource": "database-*",
    "reason": "an old tool, moved in May",
    "expires": "2099-01-01",
}


def config(**policies: Any) -> dict[str, str]:
    return {"atwork:stack": json.dumps({"environment": {"kind": "ephemeral"}, "policies": policies})}


def validate(state: PackState, token: str, name: str, props: dict[str, Any]) -> list[str]:
    messages: list[str] = []
    args: Any = SimpleNamespace(
        resource_type=token,
        name=name,
        urn="u",
        props=unknown_checking_proxy(props),
        opts=SimpleNamespace(protect=False),
    )
    for policy in state.policies:
        check: Any = getattr(policy, "_ResourceValidationPolicy__validate", None)
        if check is not None:
            check(args, lambda message, _urn=None, policy=policy: messages.append(f"{policy.name}: {message}"))
    return messages


def test_policies_are_mandatory_unless_the_stack_file_says_otherwise() -> None:
    state = PackState({})
    assert state.level == EnforcementLevel.MANDATORY
    state.configure(read(config(mandatory=False)))
    assert state.settings.context.kind == "ephemeral"
    assert {policy.enforcement_level for policy in state.policies} == {EnforcementLevel.ADVISORY}
    state.configure(read({}))
    assert {policy.enforcement_level for policy in state.rule_policies} == {EnforcementLevel.MANDATORY}


def test_an_exemption_covers_its_rule_and_resources_alone() -> None:
    token, props = "gcp:sql/databaseInstance:DatabaseInstance", {"settings": {}}
    state = PackState(config())
    assert "database-private" in str(validate(state, token, "database-main", props))
    state.configure(read(config(exemptions={"old": EXEMPTION})))
    messages = str(validate(state, token, "database-main", props))
    assert "database-private" not in messages
    assert "database-backups" in messages
    assert "database-private" in str(validate(state, token, "other", props))


def test_an_expired_exemption_covers_nothing() -> None:
    settings = read(config(exemptions={"old": {**EXEMPTION, "expires": "2020-01-01"}}))
    assert settings.exemption("database-private", "database-main") is None


def test_an_exemption_that_nothing_needs_is_reported() -> None:
    state = PackState(config(exemptions={"old": EXEMPTION}))
    assert unneeded(state) == ["policies.exemptions.old: database-* satisfies database-private; remove the exemption"]
    validate(state, "gcp:sql/databaseInstance:DatabaseInstance", "database-main", {"settings": {}})
    assert unneeded(state) == []
    assert state.policies[-1].enforcement_level == EnforcementLevel.ADVISORY


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "3",
        '{"policies": 3}',
        '{"policies": {"exemptions": []}}',
        '{"policies": {"exemptions": {"old": 3}}}',
        '{"environment": "long-lived", "policies": {"mandatory": "no"}}',
        *(
            json.dumps({"policies": {"exemptions": {"old": {**EXEMPTION, "expires": expires}}}})
            for expires in ("2099-01-01 00:00:00 +0000 UTC", "2099-01-01T00:00:00Z", "soon", None)
        ),
    ],
)
def test_unreadable_settings_exempt_nothing_and_loosen_nothing(text: str) -> None:
    state = PackState({"atwork:stack": text})
    assert state.level == EnforcementLevel.MANDATORY
    messages = validate(state, "gcp:sql/databaseInstance:DatabaseInstance", "database-main", {"settings": {}})
    assert "database-private" in str(messages)
    assert unneeded(state) == [
        f'policies.exemptions.{key}: cannot be read; put expires in quotes, such as "2027-06-30"'
        for key in state.settings.unreadable
    ]
    assert (state.settings.unreadable == ("old",)) is ('"old"' in text)


def unneeded(state: PackState) -> list[str]:
    messages: list[str] = []
    last: Any = state.policies[-1]
    last.validate(SimpleNamespace(resources=[]), lambda message, _urn=None: messages.append(message))
    return messages


def test_a_failing_rule_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(resource: CheckedResource, context: StackContext) -> Iterator[str]:
        yield dict[str, str]()["not there"]

    rule = Rule("broken-rule", "nobody asked for it", "It fails.", ("gcp:x/y:Z",), resource=broken)
    monkeypatch.setattr("policies.pack.RULES", (rule,))
    with pytest.raises(
        RuntimeError, match=r"policy broken-rule failed on it: KeyError\('not there'\); fix it in policies/rules/"
    ):
        validate(PackState({}), "gcp:x/y:Z", "it", {})


def test_unknown_values_become_the_constant_that_satisfies_every_rule() -> None:
    proxied = unknown_checking_proxy({"a": UNKNOWN_STRING_VALUE, "b": [{"c": UNKNOWN_STRING_VALUE}, 1]})
    assert plain(proxied) == {"a": UNKNOWN, "b": [{"c": UNKNOWN}, 1]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expires": "2026-01-01"}, r"policies\.exemptions\.old\.expires: expired on 2026-01-01; fix database-\*"),
        ({"policy": "no-such-rule"}, r"policies\.exemptions\.old\.policy: unknown rule no-such-rule"),
        ({"reason": "because"}, r"exemptions\.old\.reason: is 7 characters long; write at least 15"),
        ({"reason": None}, r"exemptions\.old\.reason: is empty; write a value"),
    ],
)
def test_an_exemption_needs_a_rule_a_reason_and_a_day_in_the_future(change: dict[str, Any], message: str) -> None:
    stack = json.loads(read_file(STACKS / "Pulumi.staging.yaml") or "")
    stack["policies"] = {"exemptions": {"old": {**EXEMPTION, **change}}}
    with pytest.raises(ConfigError, match=message):
        check_exemptions("staging", parse("staging", json.dumps(stack)), date(2026, 6, 1))


def test_a_group_has_the_settings_of_its_environment(tmp_path: Path) -> None:
    document = {"config": {"atwork:stack": {"policies": {"mandatory": False, "exemptions": {"old": EXEMPTION}}}}}
    (tmp_path / "Pulumi.staging.yaml").write_text(yaml.safe_dump(document))
    group = read_stack("staging.payments", {}, tmp_path)
    assert [exemption.key for exemption in group.exemptions] == ["old"]
    assert not group.context.mandatory
    assert read_stack("qa.payments", {}, tmp_path).context.mandatory, "a file that cannot be read loosens nothing"
    assert read_stack("staging", {}, tmp_path).exemptions == ()

    state = PackState({})
    state.configure(group)
    assert unneeded(state) == [], "its environment's own stack may need it"
    assert "database-private" not in str(
        validate(state, "gcp:sql/databaseInstance:DatabaseInstance", "database-main", {"settings": {}})
    )
