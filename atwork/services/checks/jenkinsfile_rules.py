"""Checks of the Jenkinsfile: the library, and the arguments of the pipeline compared with the service file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from atwork.services.checks.files import read_text
from atwork.services.checks.finding import RepositoryFinding
from atwork.services.checks.jenkinsfile import PIPELINE, UNKNOWN, PipelineCall, Value, read_jenkinsfile
from infra.services import ServiceSettings

FILE = "Jenkinsfile"
LIBRARY = "platform"
ARGUMENTS = (
    "name",
    "stores",
    "channel",
    "context",
    "chart",
    "workdir",
    "minutes",
    "testTarget",
    "preview",
    "deploys",
)
"""Arguments of the pipeline, in the order of delivery/vars/servicePipeline.groovy."""
_REMOVED = {
    "popup": "is renamed; write preview",
    "main": "the released branch is main_branch in the service file; remove it",
}


@dataclass(frozen=True)
class BuiltService:
    """What one call of the pipeline builds, as far as the Jenkinsfile says it."""

    name: str | None = None
    """None if only a build knows it."""
    context: str = "."
    """Folder with Dockerfile and Makefile."""
    chart: str = "chart"
    """Folder of the chart, below the context."""
    test_target: str = "test"

    def path(self, file: str) -> str:
        """The path of a file of the context, in the repository."""
        return str(PurePosixPath(self.context) / file)


def check_jenkinsfile(
    folder: Path, catalog: Mapping[str, ServiceSettings]
) -> tuple[list[RepositoryFinding], list[BuiltService]]:
    """Findings about the Jenkinsfile, and the services that it builds."""
    content = read_jenkinsfile(read_text(folder, FILE, "two lines are enough (docs/onboarding.md)"))
    if content.broken:
        message = "is not Groovy; close its brackets and quotes, and write commas between arguments"
        return [RepositoryFinding(FILE, message, content.broken)], [BuiltService()]
    findings: list[RepositoryFinding] = []
    if LIBRARY not in content.libraries:
        findings.append(RepositoryFinding(FILE, f"begin with @Library('{LIBRARY}') _", 1))
    if not content.calls:
        return [*findings, RepositoryFinding(FILE, f"call {PIPELINE}(name: 'NAME', stores: [...])")], [BuiltService()]
    services: list[BuiltService] = []
    for call in content.calls:
        findings += _arguments(call, catalog)
        services.append(_service(call.arguments))
    return findings, list(dict.fromkeys(services))


def _service(arguments: Mapping[str, Value]) -> BuiltService:
    default = BuiltService()
    name, test_target = arguments.get("name"), arguments.get("testTarget", default.test_target)
    context, chart = arguments.get("context", default.context), arguments.get("chart", default.chart)
    return BuiltService(
        name if isinstance(name, str) else None,
        context if isinstance(context, str) else default.context,
        chart if isinstance(chart, str) else default.chart,
        test_target if isinstance(test_target, str) else "",
    )


def _arguments(call: PipelineCall, catalog: Mapping[str, ServiceSettings]) -> Iterator[RepositoryFinding]:
    def finding(message: str, *, note: bool = False) -> RepositoryFinding:
        return RepositoryFinding(FILE, message, call.line, note)

    arguments = call.arguments
    for key in arguments:
        if key in _REMOVED:
            yield finding(f"{key}: {_REMOVED[key]}")
        elif key not in (*ARGUMENTS, "*"):
            yield finding(f"{key}: {PIPELINE} does not have this argument; use one of {', '.join(ARGUMENTS)}")
    name = arguments.get("name")
    if "*" in arguments or name is UNKNOWN:
        yield finding("the name of the service is computed, so that its service file is not compared", note=True)
        return
    if not isinstance(name, str):
        yield finding(f"{PIPELINE}: name is missing; add name: 'NAME', as in services/NAME.yaml")
        return
    service = catalog.get(name)
    if service is None:
        yield finding(f"name: services/{name}.yaml not found; use one of {', '.join(sorted(catalog)) or 'none'}")
        return
    message, note = _stores(arguments.get("stores", []), service)
    if message:
        yield finding(message, note=note)


def _stores(stores: Value, service: ServiceSettings) -> tuple[str, bool]:
    """What is wrong with the stores, "" if nothing is, and whether that is only a note."""
    if stores is UNKNOWN or (isinstance(stores, list) and UNKNOWN in stores):
        return "stores are computed", True
    if not isinstance(stores, list) or not all(isinstance(store, str) for store in stores):
        return "stores: must be a list, such as ['postgres']", False
    actual, expected = ", ".join(sorted(map(str, stores))) or "none", ", ".join(sorted(service.stores)) or "none"
    same = sorted(map(str, stores)) == sorted(service.stores)
    return ("" if same else f"stores: {actual} here, {expected} in {service.file}; make them the same"), False
