"""Checks of a service's repository: what the platform needs to build, release and run it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.services import ServiceSettings

_CALL = re.compile(r"servicePipeline\s*\((.*?)\)", re.DOTALL)
_NAME = re.compile(r"\bname\s*:\s*['\"]([^'\"]+)['\"]")
_STORES = re.compile(r"\bstores\s*:\s*\[([^\]]*)\]")
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE | re.MULTILINE)
_USER = re.compile(r"^\s*USER\s+(\S+)\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class RepositoryFinding:
    """One thing that is missing or wrong, and how to fix it."""

    file: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


def check(folder: Path, catalog: Mapping[str, ServiceSettings]) -> list[RepositoryFinding]:
    """Everything that a repository lacks; empty if the pipeline accepts it."""
    name, findings = _jenkinsfile(folder, catalog)
    return [
        *findings,
        *_dockerfile(folder),
        *_makefile(folder),
        *_chart(folder, name, catalog.get(name or "")),
    ]


def _jenkinsfile(folder: Path, catalog: Mapping[str, ServiceSettings]) -> tuple[str | None, list[RepositoryFinding]]:
    file = "Jenkinsfile"
    text = _text(folder / file)
    if text is None:
        return None, [RepositoryFinding(file, "file not found; two lines are enough (docs/onboarding.md)")]
    findings: list[RepositoryFinding] = []
    if not re.search(r"@Library\(['\"]platform(@[^'\"]*)?['\"]\)\s*_", text):
        findings.append(RepositoryFinding(file, "begin with @Library('platform') _"))
    call = _CALL.search(text)
    if call is None:
        return None, [*findings, RepositoryFinding(file, "call servicePipeline(name: 'NAME', stores: [...])")]
    name_argument = _NAME.search(call[1])
    if name_argument is None:
        return None, [
            *findings,
            RepositoryFinding(file, "servicePipeline: name is missing; add name: 'NAME', as in services/NAME.yaml"),
        ]
    service = catalog.get(name_argument[1])
    if service is None:
        known = ", ".join(sorted(catalog)) or "none"
        findings.append(
            RepositoryFinding(file, f"name: services/{name_argument[1]}.yaml not found; use one of {known}")
        )
        return name_argument[1], findings
    stores_argument = _STORES.search(call[1])
    stores = re.findall(r"['\"]([^'\"]+)['\"]", stores_argument[1]) if stores_argument else []
    if sorted(stores) != sorted(service.stores):
        actual, expected = ", ".join(sorted(stores)) or "none", ", ".join(sorted(service.stores)) or "none"
        findings.append(
            RepositoryFinding(file, f"stores: {actual} here, {expected} in {service.file}; make them the same")
        )
    return name_argument[1], findings


def _dockerfile(folder: Path) -> Iterator[RepositoryFinding]:
    file = "Dockerfile"
    text = _text(folder / file)
    if text is None:
        yield RepositoryFinding(file, "file not found; add one with a stage `runtime`, which is released")
        return
    stages = {stage.lower() for _, stage in _FROM.findall(text) if stage}
    if "runtime" not in stages:
        yield RepositoryFinding(file, "stage runtime is missing; name the released stage: FROM ... AS runtime")
    if "test" not in stages:
        yield RepositoryFinding(file, "stage test is missing; add a stage with the tests: FROM runtime AS test")
    for image, _ in _FROM.findall(text):
        tag = image.rpartition("/")[2]
        if image.lower() not in stages and "@sha256:" not in image and (":" not in tag or tag.endswith(":latest")):
            yield RepositoryFinding(file, f"FROM {image}: pin a version, such as {image.removesuffix(':latest')}:1.2.3")
    parts = re.split(r"(?im)^(?=\s*FROM\s)", text)
    for part in parts:
        stage = _FROM.match(part)
        if stage is None or (stage[2] or "").lower() != "runtime":
            continue
        users = _USER.findall(part)
        if not users or not re.fullmatch(r"[1-9][0-9]*(:[0-9]+)?", users[-1]):
            actual = users[-1] if users else "the user of its base image"
            yield RepositoryFinding(
                file, f"stage runtime runs as {actual}; end it with a numeric user that is not root: USER 1000:1000"
            )


def _makefile(folder: Path) -> Iterator[RepositoryFinding]:
    file = "Makefile"
    text = _text(folder / file)
    if text is None:
        yield RepositoryFinding(
            file, "file not found; add one with the targets build and test, which the pipeline calls"
        )
        return
    for target in ("build", "test"):
        if not re.search(rf"^{target}\s*:(?!=)", text, re.MULTILINE):
            yield RepositoryFinding(file, f"target {target} is missing; add it, because the pipeline calls it")
    if "REPORTS" not in text:
        yield RepositoryFinding(file, "test: write JUnit reports to $(REPORTS), so that Jenkins shows what failed")


def _chart(folder: Path, name: str | None, service: ServiceSettings | None) -> Iterator[RepositoryFinding]:
    yield from _description(folder, "chart/Chart.yaml", name)
    file = "chart/values.yaml"
    values, mistake = _yaml(folder / file)
    if values is None:
        yield RepositoryFinding(file, mistake)
        return
    image = values.get("image")
    if not isinstance(image, dict) or not {"repository", "digest"} <= image.keys():
        yield RepositoryFinding(file, "image: must have repository and digest, which the pipeline sets")
    actual = ", ".join(sorted(map(str, values.get("secrets") or []))) or "none"
    expected = ", ".join(sorted(service.secrets)) or "none" if service is not None else actual
    if service is not None and actual != expected:
        yield RepositoryFinding(file, f"secrets: {actual} here, {expected} in {service.file}; make them the same")


def _description(folder: Path, file: str, name: str | None) -> Iterator[RepositoryFinding]:
    chart, mistake = _yaml(folder / file)
    if chart is None:
        yield RepositoryFinding(file, mistake)
        return
    if name is not None and chart.get("name") != name:
        yield RepositoryFinding(file, f"name: {chart.get('name')} must be the service's, {name}")
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(chart.get("version"))):
        yield RepositoryFinding(file, f"version: {chart.get('version')} must be a semantic version, such as 1.4.0")


def _text(path: Path) -> str | None:
    return path.read_text(errors="replace") if path.is_file() else None


def _yaml(path: Path) -> tuple[dict[str, Any] | None, str]:
    text = _text(path)
    if text is None:
        return None, "file not found; add the chart, which describes how the service runs"
    try:
        loaded: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return None, f"not YAML: {' '.join(str(error).split())}"
    return (loaded, "") if isinstance(loaded, dict) else (None, "must be a map of keys to values")
