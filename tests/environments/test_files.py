"""The line of an environment among its upstream's deploys: added and taken away, and nothing else touched."""

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


def test_a_line_comes_and_goes_without_a_trace() -> None:
    added = with_deploy(CI, "demo", ACCOUNT, "f")
    assert deploys(added) == {**deploys(CI), "demo": {"account": ACCOUNT}}
    assert without_deploy(added, "demo") == CI
    assert without_deploy(CI, "demo") == CI


def test_what_a_person_wrote_on_several_lines_goes_whole() -> None:
    """production has a comment and approvers of its own."""
    for name in ("staging", "production"):
        made = without_deploy(CI, name)
        assert deploys(made) == {key: value for key, value in deploys(CI).items() if key != name}
        assert [line for line in CI.splitlines() if line in made.splitlines()] == made.splitlines()


def test_the_last_one_leaves_an_empty_map_that_takes_a_new_one() -> None:
    empty = without_deploy(without_deploy(CI, "staging"), "production")
    assert deploys(empty) == {}
    assert deploys(with_deploy(empty, "demo", ACCOUNT, "f")) == {"demo": {"account": ACCOUNT}}


def test_a_name_that_begins_another_is_not_taken_for_it() -> None:
    both = with_deploy(with_deploy(CI, "pr-1", ACCOUNT, "f"), "pr-12", ACCOUNT, "f")
    assert deploys(without_deploy(both, "pr-1")).keys() == {*deploys(CI), "pr-12"}


def test_an_upstream_without_deploys_is_told() -> None:
    with pytest.raises(ConfigError, match=r"f: atwork:stack\.jenkins\.deploys is missing; add it"):
        with_deploy("config: {}\n", "demo", ACCOUNT, "f")
