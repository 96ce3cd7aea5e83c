"""Checks of the Helm chart: where it is, its name and version, and the values that the pipeline sets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from atwork.services.checks.files import UnreadableFileError, read_text
from atwork.services.checks.finding import RepositoryFinding
from atwork.services.checks.jenkinsfile_rules import BuiltService
from infra.errors import ConfigError
from infra.services import ServiceSettings
from infra.yaml_files import parse_yaml

_SKIPPED = frozenset({"node_modules", "vendor", "target", "build", "dist", "venv", "__pycache__"})
_DEPTH = 5
"""Folders below the repository in which charts are looked for."""
_MISTAKE = re.compile(r"(?::(\d+))?: (.*)")
"""The line and the message of an error about a file, after the file."""


@dataclass(frozen=True)
class YamlMap:
    """A map in a YAML file, with the lines of its keys."""

    values: Mapping[str, Any]
    lines: Mapping[str, int]


def check_chart(folder: Path, built: BuiltService, service: ServiceSettings | None) -> Iterator[RepositoryFinding]:
    """Findings about the chart of a service; `service` is its service file, if there is one."""
    chart = built.path(built.chart)
    if not (folder / chart / "Chart.yaml").exists():
        others = _charts(folder / built.context)
        if others:
            names = " or ".join(f"chart: '{other}'" for other in others[:3])
            file = str(PurePosixPath(chart) / "Chart.yaml")
            yield RepositoryFinding(file, f"file not found; if this is the chart, write {names} in the Jenkinsfile")
            return
    for part in (_description, _values):
        try:
            yield from part(folder, chart, built, service)
        except UnreadableFileError as error:
            yield error.finding


def _charts(context: Path) -> list[str]:
    """Folders with a Chart.yaml, outermost first; the charts that another chart contains are left out."""
    charts: list[str] = []
    for place, folders, files in os.walk(context):
        relative = Path(place).relative_to(context)
        if "Chart.yaml" in files and relative.parts:
            charts.append(str(PurePosixPath(*relative.parts)))
            folders.clear()
        kept = (name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        folders[:] = sorted(kept) if len(relative.parts) < _DEPTH else []
    return charts


def _description(
    folder: Path, chart: str, built: BuiltService, _: ServiceSettings | None
) -> Iterator[RepositoryFinding]:
    file = str(PurePosixPath(chart) / "Chart.yaml")
    content = _yaml(folder, file)
    name, version = content.values.get("name"), content.values.get("version")
    if built.name is not None and name != built.name:
        line = content.lines.get("name", 0)
        yield RepositoryFinding(file, f"name: {name} must be the service's, {built.name}", line)
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(version)):
        line = content.lines.get("version", 0)
        yield RepositoryFinding(file, f"version: {version} must be a semantic version, such as 1.4.0", line)


def _values(folder: Path, chart: str, _: BuiltService, service: ServiceSettings | None) -> Iterator[RepositoryFinding]:
    file = str(PurePosixPath(chart) / "values.yaml")
    content = _yaml(folder, file)
    image, secrets = content.values.get("image"), content.values.get("secrets")
    if not isinstance(image, dict) or not {"repository", "digest"} <= image.keys():
        line = content.lines.get("image", 0)
        yield RepositoryFinding(file, "image: must have repository and digest, which the pipeline sets", line)
    line = content.lines.get("secrets", 0)
    names: list[Any] | None = [] if secrets is None else secrets if isinstance(secrets, list) else None
    if names is None or not all(isinstance(name, str) for name in names):
        example = secrets if isinstance(secrets, str) else "api-key"
        yield RepositoryFinding(file, f"secrets: must be a list of names; write secrets: [{example}]", line)
        return
    actual = ", ".join(sorted(names)) or "none"
    expected = ", ".join(sorted(service.secrets)) or "none" if service is not None else actual
    if service is not None and actual != expected:
        yield RepositoryFinding(file, f"secrets: {actual} here, {expected} in {service.file}; make them the same", line)


def _yaml(folder: Path, file: str) -> YamlMap:
    """A YAML file with a map. Raises `UnreadableFileError`."""
    text = read_text(folder, file, "add the chart, which describes how the service runs")
    try:
        values = parse_yaml(text, file, foreign=True)
    except ConfigError as error:
        parts = _MISTAKE.match(str(error).removeprefix(file))
        line, message = parts.groups() if parts else (None, str(error))
        raise UnreadableFileError(RepositoryFinding(file, message, int(line or 0))) from None
    node: Any = yaml.compose(text, yaml.SafeLoader)
    lines = {key.value: key.start_mark.line + 1 for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
    return YamlMap({str(key): value for key, value in values.items()}, lines)
