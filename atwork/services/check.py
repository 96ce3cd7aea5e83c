"""The guidelines as code: what a repository needs to be built, released and run by the platform."""

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
class Finding:
    """One thing that is missing or wrong, and how to mend it."""

    file: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


def check(folder: Path, catalogue: Mapping[str, ServiceSettings]) -> list[Finding]:
    """Everything that a repository lacks; empty where the pipeline would take it."""
    name, findings = _jenkinsfile(folder, catalogue)
    return [
        *findings,
        *_dockerfile(folder),
        *_makefile(folder),
        *_chart(folder, name, catalogue.get(name or "")),
    ]


def _jenkinsfile(folder: Path, catalogue: Mapping[str, ServiceSettings]) -> tuple[str | None, list[Finding]]:
    file = "Jenkinsfile"
    text = _text(folder / file)
    if text is None:
        return None, [Finding(file, "there is none; two lines are enough (docs/onboarding.md)")]
    found: list[Finding] = []
    if not re.search(r"@Library\(['\"]platform(@[^'\"]*)?['\"]\)\s*_", text):
        found.append(Finding(file, "begin with @Library('platform') _"))
    call = _CALL.search(text)
    if call is None:
        return None, [*found, Finding(file, "call servicePipeline(name: 'NAME', stores: [...])")]
    named = _NAME.search(call[1])
    if named is None:
        return None, [*found, Finding(file, "servicePipeline: say name: 'NAME', as in services/NAME.yaml")]
    service = catalogue.get(named[1])
    if service is None:
        known = ", ".join(sorted(catalogue)) or "none"
        found.append(Finding(file, f"name: there is no services/{named[1]}.yaml in the catalogue (it has {known})"))
        return named[1], found
    listed = _STORES.search(call[1])
    stores = re.findall(r"['\"]([^'\"]+)['\"]", listed[1]) if listed else []
    if sorted(stores) != sorted(service.stores):
        said, wanted = ", ".join(sorted(stores)) or "none", ", ".join(sorted(service.stores)) or "none"
        found.append(Finding(file, f"stores: {said} here, {wanted} in services/{named[1]}.yaml; make them the same"))
    return named[1], found


def _dockerfile(folder: Path) -> Iterator[Finding]:
    file = "Dockerfile"
    text = _text(folder / file)
    if text is None:
        yield Finding(file, "there is none; its stage `runtime` is what is released")
        return
    stages = {stage.lower() for _, stage in _FROM.findall(text) if stage}
    if "runtime" not in stages:
        yield Finding(file, "name the stage that is released: FROM ... AS runtime")
    if "test" not in stages:
        yield Finding(file, "add a stage with the tests on top: FROM runtime AS test")
    for image, _ in _FROM.findall(text):
        tag = image.rpartition("/")[2]
        if image.lower() not in stages and "@sha256:" not in image and (":" not in tag or tag.endswith(":latest")):
            yield Finding(file, f"FROM {image}: pin a version, such as {image.removesuffix(':latest')}:1.2.3")
    parts = re.split(r"(?im)^(?=\s*FROM\s)", text)
    for part in parts:
        stage = _FROM.match(part)
        if stage is None or (stage[2] or "").lower() != "runtime":
            continue
        users = _USER.findall(part)
        if not users or not re.fullmatch(r"[1-9][0-9]*(:[0-9]+)?", users[-1]):
            said = users[-1] if users else "nobody"
            yield Finding(
                file, f"the stage runtime runs as {said}; end it with a number that is not root: USER 1000:1000"
            )


def _makefile(folder: Path) -> Iterator[Finding]:
    file = "Makefile"
    text = _text(folder / file)
    if text is None:
        yield Finding(file, "there is none; the pipeline calls its targets build and test")
        return
    for target in ("build", "test"):
        if not re.search(rf"^{target}\s*:(?!=)", text, re.MULTILINE):
            yield Finding(file, f"there is no target {target}")
    if "REPORTS" not in text:
        yield Finding(file, "test: write JUnit reports to $(REPORTS), so that Jenkins shows what failed")


def _chart(folder: Path, name: str | None, service: ServiceSettings | None) -> Iterator[Finding]:
    yield from _description(folder, "chart/Chart.yaml", name)
    file = "chart/values.yaml"
    values, mistake = _yaml(folder / file)
    if values is None:
        yield Finding(file, mistake)
        return
    image = values.get("image")
    if not isinstance(image, dict) or not {"repository", "digest"} <= image.keys():
        yield Finding(file, "image: must have repository and digest, which the pipeline fills in")
    listed = ", ".join(sorted(map(str, values.get("secrets") or []))) or "none"
    wanted = ", ".join(sorted(service.secrets)) or "none" if service is not None else listed
    if listed != wanted:
        yield Finding(file, f"secrets: {listed} here, {wanted} in services/{name}.yaml; make them the same")


def _description(folder: Path, file: str, name: str | None) -> Iterator[Finding]:
    found, mistake = _yaml(folder / file)
    if found is None:
        yield Finding(file, mistake)
        return
    if name is not None and found.get("name") != name:
        yield Finding(file, f"name: {found.get('name')} must be the service's, {name}")
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(found.get("version"))):
        yield Finding(file, f"version: {found.get('version')} must be like 1.4.0")


def _text(path: Path) -> str | None:
    return path.read_text(errors="replace") if path.is_file() else None


def _yaml(path: Path) -> tuple[dict[str, Any] | None, str]:
    text = _text(path)
    if text is None:
        return None, "there is none; the chart says how the service runs"
    try:
        loaded: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return None, f"not YAML: {' '.join(str(error).split())}"
    return (loaded, "") if isinstance(loaded, dict) else (None, "must be a map of keys to values")
