"""What the company is stands in stacks/platform.yaml alone: the rest follows from it, and a stack file has no key for it."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest
import yaml
from support.checkout import copy

from atwork.errors import ConfigError
from components.delivery import PlatformSource
from infra import CONFIG_KEY, company
from infra.config import STACKS, parse, read_file
from infra.environment import Environment
from infra.layout import PLATFORM_FILE


def written(folder: Path, old: str, new: str) -> Path:
    """A stacks folder with the shipped platform.yaml, one text replaced."""
    text = (STACKS / PLATFORM_FILE).read_text()
    assert old in text
    (folder / PLATFORM_FILE).write_text(text.replace(old, new))
    return folder


def test_backend_repository_and_organization_are_derived() -> None:
    settings = company.read(STACKS)
    assert settings.backend == "gs://acme-at-work-admin-state"
    assert settings.source == PlatformSource("acme/at-work", "gs://acme-at-work-admin-state")
    assert (settings.source.organization, settings.source.name) == ("acme", "at-work")
    assert settings.source.url == "https://github.com/acme/at-work"


def test_a_bucket_of_another_name_is_the_backend(tmp_path: Path) -> None:
    settings = company.read(written(tmp_path, "location:", "state_bucket: acme-old-state\nlocation:"))
    assert settings.source.backend == "gs://acme-old-state"


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        ("acme/at-work.git", r"ends in \.git; write acme/at-work, without \.git"),
        ("acme-/at-work", r".* is not valid; write OWNER/NAME of a GitHub repository, such as acme/at-work"),
        ("acme'/at-work", r".* is not valid; write OWNER/NAME of a GitHub repository, such as acme/at-work"),
        (
            "https://github.com/acme/at-work",
            r".* is not valid; write OWNER/NAME of a GitHub repository, such as acme/at-work",
        ),
    ],
)
def test_a_repository_is_its_owner_and_its_name(repository: str, message: str, tmp_path: Path) -> None:
    stacks = written(tmp_path, "repository: acme/at-work", f'repository: "{repository}"')
    with pytest.raises(ConfigError, match=rf"^stacks/platform\.yaml: github\.repository: {message}"):
        company.read(stacks)


@pytest.mark.parametrize(
    ("section", "key", "value", "source"),
    [
        ("", "github_organization", "acme", "github.repository"),
        ("library", "repository", "https://github.com/acme/at-work", "github.repository"),
        ("platform", "repository", "https://github.com/acme/at-work", "github.repository"),
        ("platform", "backend", "gs://acme-at-work-admin-state", "admin_project or state_bucket"),
    ],
)
def test_a_stack_file_repeats_nothing_of_it(section: str, key: str, value: str, source: str) -> None:
    settings = json.loads(read_file(STACKS / "Pulumi.ci.yaml") or "")
    part = settings["jenkins"].setdefault(section, {}) if section else settings["jenkins"]
    part[key] = value
    path = ".".join(filter(None, ("jenkins", section, key)))
    with pytest.raises(ConfigError) as caught:
        parse("ci", json.dumps(settings))
    assert str(caught.value) == (
        f"stacks/Pulumi.ci.yaml: {CONFIG_KEY}.{path}: stacks/platform.yaml states it ({source}); remove it here"
    )


def current(stack: str, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """What the program reads where the engine runs it in a checkout."""
    monkeypatch.setattr(pulumi, "get_stack", lambda: stack)
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(checkout))
    pulumi.runtime.set_all_config({CONFIG_KEY: read_file(checkout / "stacks" / f"Pulumi.{stack}.yaml") or ""})
    return Environment.current()


def test_the_program_reads_it_where_jenkins_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = copy(tmp_path / "checkout")
    written(checkout / "stacks", "acme/at-work", "other/platform")
    without_alerts(checkout)
    assert current("ci", checkout, monkeypatch).source.url == "https://github.com/other/platform"
    with pytest.raises(ValueError, match="staging has none"):
        _ = current("staging", checkout, monkeypatch).source


def without_alerts(checkout: Path) -> None:
    """Remove the alerts of staging, whose notifications link to the runbooks of the company."""
    path = checkout / "stacks" / "Pulumi.staging.yaml"
    document = yaml.safe_load(path.read_text())
    del document["config"][CONFIG_KEY]["monitoring"]
    path.write_text(yaml.safe_dump(document))


def test_without_it_only_the_stack_with_jenkins_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = copy(tmp_path / "checkout")
    (checkout / "stacks" / PLATFORM_FILE).unlink()
    without_alerts(checkout)
    assert current("staging", checkout, monkeypatch).company is None
    with pytest.raises(pulumi.RunError, match=r"^stacks/platform\.yaml: file not found; write it") as caught:
        current("ci", checkout, monkeypatch)
    assert company.EXAMPLE in str(caught.value)
