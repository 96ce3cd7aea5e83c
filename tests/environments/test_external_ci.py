"""Environments of a platform on which another CI system deploys instead of Jenkins."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.environments import PLACE, atwork, contents, create_ephemeral, new, without_lines

from atwork.errors import ConfigError
from infra.config import read_all

POOL = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github"
STAGING = f"{POOL}/attribute.environment/staging"
SHARED = "serviceAccount:deployer@acme-builds.iam.gserviceaccount.com"
PRODUCTION = {"releases": f"{POOL}/attribute.environment/production"}


def use_external_ci(checkout: Path, deploys: dict[str, dict[str, str]]) -> Path:
    """Replace Jenkins of ci by another CI system, which deploys to these environments; returns the file of ci."""
    file = checkout / "stacks" / "Pulumi.ci.yaml"
    entries = "".join(f"        {name}: {json.dumps(entry)}\n" for name, entry in deploys.items())
    section = f"    external_ci:\n      builders: {{all: {POOL}/attribute.repository/acme}}\n      deploys:\n{entries}"
    text, count = re.subn(r"^    jenkins:\n(?:      .*\n|\n)+", section, file.read_text(), flags=re.MULTILINE)
    assert count == 1
    file.write_text(text)
    return file


def entry(releases: str) -> dict[str, str]:
    return {"releases": releases, "preview_namespaces": f"{POOL}/attribute.environment/pr"}


@pytest.mark.parametrize(("releases", "expected"), [(STAGING, f"{POOL}/attribute.environment/demo"), (SHARED, SHARED)])
def test_the_identity_that_deploys_to_the_model_deploys_to_the_new_environment(
    checkout: Path, releases: str, expected: str
) -> None:
    file = use_external_ci(checkout, {"staging": entry(releases), "production": PRODUCTION})
    before = file.read_text()
    create_ephemeral("demo")
    settings = read_all(checkout / "stacks")["ci"].external_ci
    assert settings is not None
    assert settings.deploys["demo"].releases == expected
    assert settings.deploys["demo"].preview_namespaces is None
    assert list(settings.deploys) == ["demo", "staging", "production"]
    done = atwork("check")
    assert (done.exit_code, done.output) == (0, "4 environments and 1 services: no mistakes.\n")
    assert atwork("remove", "demo").exit_code == 0
    assert file.read_text() == before


def test_nothing_is_written_where_nobody_deploys_to_the_model(checkout: Path) -> None:
    use_external_ci(checkout, {"staging": entry(STAGING)})
    before = contents(checkout)
    done = new("demo", "--like", "production", *PLACE)
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith(
        "stacks/Pulumi.ci.yaml: atwork:stack.external_ci.deploys.production: missing; add it"
    )
    assert contents(checkout) == before


def test_an_environment_that_nobody_deploys_to_is_a_mistake(checkout: Path) -> None:
    use_external_ci(checkout, {"staging": entry(STAGING)})
    done = atwork("check")
    assert done.exit_code == 1
    line = "stacks/Pulumi.ci.yaml: atwork:stack.external_ci.deploys.production: missing; add {releases: IDENTITY}"
    assert line in without_lines(done.output).splitlines()
