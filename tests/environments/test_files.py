"""The line of an environment among its upstream's deploys: added and removed, and nothing else changes."""

from __future__ import annotations

import pytest
import yaml

from atwork.environments.files import with_deploy, without_deploy
from atwork.errors import ConfigError
from infra.config import STACKS

CI = (STACKS / "Pulumi.ci.yaml").read_text()
ACCOUNT = "platform-deployer@x.iam.gserviceaccount.com"


def deploys(text: str) -> dict[str, object]:
    return yaml.safe_load(text)["config"]["atwork:stack"]["jenkins"]["deploys"]


def with_entry(text: str, name: str) -> str:
    return with_deploy(text, name, f"{{account: {ACCOUNT}}}", "f", "jenkins")


def test_a_line_is_added_and_removed_without_a_trace() -> None:
    added = with_entry(CI, "demo")
    assert deploys(added) == {**deploys(CI), "demo": {"account": ACCOUNT}}
    assert without_deploy(added, "demo", "f") == CI
    assert without_deploy(CI, "demo", "f") == CI


def test_an_environment_on_several_lines_is_removed_completely() -> None:
    """production has a comment and approvers of its own."""
    for name in ("staging", "production"):
        removed = without_deploy(CI, name, "f")
        assert deploys(removed) == {key: value for key, value in deploys(CI).items() if key != name}
        assert [line for line in CI.splitlines() if line in removed.splitlines()] == removed.splitlines()


def test_the_last_environment_leaves_an_empty_map_that_takes_another() -> None:
    empty = without_deploy(without_deploy(CI, "staging", "f"), "production", "f")
    assert deploys(empty) == {}
    assert deploys(with_entry(empty, "demo")) == {"demo": {"account": ACCOUNT}}


def test_a_name_that_starts_like_another() -> None:
    both = with_entry(with_entry(CI, "pr-1"), "pr-12")
    assert deploys(without_deploy(both, "pr-1", "f")).keys() == {*deploys(CI), "pr-12"}


def test_an_upstream_without_deploys_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"f: atwork:stack\.jenkins\.deploys is missing; add it"):
        with_entry("config: {}\n", "demo")


def test_the_missing_key_is_that_of_the_delivery_system() -> None:
    with pytest.raises(ConfigError, match=r"f: atwork:stack\.external_ci\.deploys is missing; add it"):
        with_deploy("config: {}\n", "demo", "{releases: x}", "f", "external_ci")


OTHER_KEYS = """# deploys: a comment
config:
  other:stack:
    jenkins:
      deploys:
        demo: {account: another project's}
  atwork:stack:
    note: |
      deploys:
        demo: text
    network:
      deploys: {demo: 1}
    external_ci:
      issuer: https://example.com  # where tokens come from
      environments:
        deploys:
          demo: deeper
      deploys:   # who deploys
          # the first environment
          staging:
            account: s

            approvers:
              - ada@example.com
            # grace was here
          # the last environment
          production: {account: p}   # asks

    labels: {}
"""
"""A stack file with many keys `deploys`."""


def external(text: str) -> dict[str, object]:
    return yaml.safe_load(text)["config"]["atwork:stack"]["external_ci"]["deploys"]


def test_other_keys_of_this_name_stay() -> None:
    added = with_entry(OTHER_KEYS, "demo")
    assert external(added) == {**external(OTHER_KEYS), "demo": {"account": ACCOUNT}}
    line = f"          demo: {{account: {ACCOUNT}}}\n"
    assert added == OTHER_KEYS.replace("# who deploys\n", f"# who deploys\n{line}")
    assert without_deploy(added, "demo", "f") == OTHER_KEYS
    assert without_deploy(OTHER_KEYS, "demo", "f") == OTHER_KEYS


def test_comments_outside_the_removed_environment_stay() -> None:
    lines = OTHER_KEYS.splitlines(keepends=True)
    first, last = lines.index("          staging:\n"), lines.index("            # grace was here\n")
    assert without_deploy(OTHER_KEYS, "staging", "f") == "".join([*lines[:first], *lines[last + 1 :]])
    line = "          production: {account: p}   # asks\n"
    assert without_deploy(OTHER_KEYS, "production", "f") == OTHER_KEYS.replace(line, "")


INLINE = "config: {'atwork:stack': {jenkins: {%s}}}  # end\n"


@pytest.mark.parametrize("before", ["deploys: {}", "deploys: {ci: {account: c}}", "deploys: {a: {account: a}, b: {}}"])
def test_deploys_in_braces(before: str) -> None:
    text = INLINE % before
    added = with_entry(text, "demo")
    assert deploys(added) == {**deploys(text), "demo": {"account": ACCOUNT}}
    assert without_deploy(added, "demo", "f") == text
    for name in deploys(text):
        removed = without_deploy(text, name, "f")
        assert deploys(removed) == {key: value for key, value in deploys(text).items() if key != name}
        assert removed.endswith("  # end\n")


@pytest.mark.parametrize("before", ["deploys:", "deploys: {}", "'deploys' : {  }", "deploys: # none yet", "deploys: ~"])
def test_the_first_environment_is_on_a_line_of_its_own(before: str) -> None:
    text = f"config:\n  atwork:stack:\n    jenkins:\n      {before}"
    added = with_entry(text, "demo")
    assert deploys(added) == {"demo": {"account": ACCOUNT}}
    assert added.splitlines()[4:] == [f"        demo: {{account: {ACCOUNT}}}"]
    assert deploys(without_deploy(added, "demo", "f")) == {}
    assert ("# none yet" in without_deploy(added, "demo", "f")) == ("# none yet" in text)
