"""Facts that are stated once, and the files that must agree with them.

- The company (repository, organization, state bucket): stacks/platform.yaml.
- The version of the engine: tools/engine/go.mod.
- The name of the Pulumi project: `infra.PROJECT`, because it is part of the names of the state's objects.

A file that a checkout does not have is not checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from atwork.engine.build import PULUMI
from atwork.errors import ConfigError
from components.versions import IMAGES
from infra import CONFIG_KEY, PROJECT, company
from infra.company import CompanySettings
from infra.services import ServiceSettings
from infra.stack import StackConfig
from infra.yaml_files import read_foreign_yaml, read_yaml
from infra.yaml_text import read_text

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for code owners, in its order: it reads the first that exists.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

_BACKEND = "PULUMI_BACKEND_URL"
_ENGINE = "tools/engine/go.mod"
_VERSION = "pulumi-version"


def mistakes(
    checkout: Path, environments: Mapping[str, StackConfig], services: Mapping[str, ServiceSettings]
) -> Iterator[str]:
    """One line for each statement that disagrees, with file, key and fix."""
    workflows = {
        f"{path.parent.relative_to(checkout).as_posix()}/{path.name}": path
        for pattern in ("*.yml", "*.yaml")
        for path in sorted((checkout / ".github" / "workflows").glob(pattern))
    }
    values = list(_values(workflows))
    yield from _caught(lambda: _check_project(checkout))
    yield from _caught(lambda: _company(checkout, environments, services, values))
    yield from _caught(lambda: _engine(checkout, environments, values))


Value = tuple[str, str, Any]
"""File, key and value of a setting in a workflow."""


def _values(workflows: Mapping[str, Path]) -> Iterator[Value]:
    for file, path in workflows.items():
        yield from ((file, key, value) for key, value in _inside(read_foreign_yaml(path, file), ""))


def _inside(value: object, key: str) -> Iterator[tuple[str, Any]]:
    """Every value of a document with its key, maps and lists before their items."""
    yield key, value
    parts: Iterator[tuple[object, object]] = iter(())
    if isinstance(value, dict):
        parts = iter(cast("dict[object, object]", value).items())
    elif isinstance(value, list):
        parts = iter(enumerate(cast("list[object]", value)))
    for name, part in parts:
        yield from _inside(part, f"{key}.{name}" if key else str(name))


def _caught(check: Callable[[], Iterable[str] | None]) -> Iterator[str]:
    """The lines of a check, and those of the error that ends it."""
    try:
        yield from check() or ()
    except ConfigError as error:
        yield from str(error).splitlines()


def _check_project(checkout: Path) -> None:
    name = read_yaml(checkout / "Pulumi.yaml", "Pulumi.yaml").get("name")
    if name != PROJECT:
        raise ConfigError(
            f"Pulumi.yaml: name: {name} is not {PROJECT}, which is part of the names of the state's objects; "
            f"write {PROJECT}"
        )


def _company(
    checkout: Path,
    environments: Mapping[str, StackConfig],
    services: Mapping[str, ServiceSettings],
    values: list[Value],
) -> Iterator[str]:
    with_jenkins = [name for name, config in environments.items() if config.jenkins is not None]
    if not os.path.lexists(checkout / company.FILE):
        if with_jenkins:
            yield (
                f"{company.FILE}: file not found, and jenkins of stacks/Pulumi.{with_jenkins[0]}.yaml needs "
                "its repository and its state bucket; write it (docs/bootstrap.md)"
            )
        return
    try:
        settings = company.read(checkout / "stacks")
    except ConfigError as error:
        yield from str(error).splitlines()
        return
    yield from _caught(lambda: company.check_admin_project(settings, environments))
    yield from _backends(checkout, settings, values)
    yield from _owners(checkout, settings)
    if with_jenkins:
        yield from _repositories(settings, services)


def _repositories(settings: CompanySettings, services: Mapping[str, ServiceSettings]) -> Iterator[str]:
    """Services whose repositories Jenkins does not find: it looks in one organization."""
    organization = settings.source.organization
    for service in services.values():
        owner, _, name = service.repository.removeprefix("https://github.com/").partition("/")
        if owner.lower() != organization.lower():
            yield (
                f"{service.file}: repository: {owner}/{name} is not in {organization}, whose repositories Jenkins "
                f"builds ({company.FILE}: github.repository); move it there"
            )


def _backends(checkout: Path, settings: CompanySettings, values: list[Value]) -> Iterator[str]:
    """Buckets that the shell, workflows and the Jenkinsfile name as the backend."""
    named = [(f"environment: {_BACKEND}", os.environ.get(_BACKEND, ""))]
    named += [(f"{file}: {key}", str(value)) for file, key, value in values if key.endswith(f"env.{_BACKEND}")]
    jenkinsfile = checkout / "Jenkinsfile"
    if jenkinsfile.exists():
        buckets = re.findall(rf"{_BACKEND}=([^\s\"'\]]+)", read_text(jenkinsfile, "Jenkinsfile"))
        named += [(f"Jenkinsfile: {_BACKEND}", value) for value in buckets]
    for where, value in named:
        if value.startswith("gs://") and value.rstrip("/") != settings.backend:
            yield f"{where}: {value} is not the state bucket of {company.FILE}; write {settings.backend}"


def _owners(checkout: Path, settings: CompanySettings) -> Iterator[str]:
    """Code owners outside the organization: GitHub ignores teams of other organizations."""
    organization = settings.source.organization
    file = next((file for file in CODEOWNERS if (checkout / file).exists()), None)
    if file is None:
        return
    for number, line in enumerate(read_text(checkout / file, file).splitlines(), start=1):
        for owner, team in re.findall(r"(?<=\s)@([\w-]+)/([\w.-]+)", line.partition("#")[0]):
            if owner.lower() != organization.lower():
                yield (
                    f"{file}:{number}: @{owner}/{team}: {company.FILE} states a repository of {organization}, and "
                    f"GitHub ignores teams of other organizations; name a team of {organization}"
                )


def _engine(checkout: Path, environments: Mapping[str, StackConfig], values: list[Value]) -> Iterator[str]:
    path = checkout / _ENGINE
    if not path.exists():
        return
    match = re.search(rf"{re.escape(PULUMI.module)} v(\S+)", read_text(path, str(_ENGINE)))
    if match is None:
        yield f"{_ENGINE}: no {PULUMI.module}; restore the file"
        return
    version = match[1]
    for where, value in _engines(environments, values):
        if value != version:
            yield f"{where}: {value or 'missing'} is not the engine of {_ENGINE}; write {version}"


def _engines(environments: Mapping[str, StackConfig], values: list[Value]) -> Iterator[tuple[str, str]]:
    """Each place that states a version of the engine, with the version."""
    for file, key, step in values:
        if isinstance(step, dict) and str(step.get("uses", "")).startswith("pulumi/actions@"):
            given = cast("dict[str, Any]", step.get("with") or {})
            yield f"{file}: {key}.with.{_VERSION}", str(given.get(_VERSION) or "")
    yield "components/versions.py: IMAGES.pulumi", _tagged(IMAGES["pulumi"])
    for name, config in environments.items():
        images = {} if config.jenkins is None else config.jenkins.images
        if "pulumi" in images:
            yield f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.jenkins.images.pulumi", _tagged(images["pulumi"])


def _tagged(image: str) -> str:
    """The version in an image's tag: 3.256.0 of HOST/pulumi/pulumi:3.256.0-nonroot@sha256:DIGEST."""
    tag = image.partition("@")[0].rpartition(":")[2]
    return tag.removeprefix("v").partition("-")[0]
