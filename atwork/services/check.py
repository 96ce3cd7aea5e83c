"""Checks of a service's repository: what the platform needs to build, release and run it.

Files are read with parsers, and nothing in them is executed (docs/adr/0026-repositories.md). What only a build knows is
a note, no finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from atwork.errors import UsageError
from atwork.services.checks.chart_rules import check_chart
from atwork.services.checks.dockerfile_rules import check_dockerfile
from atwork.services.checks.files import UnreadableFileError
from atwork.services.checks.finding import RepositoryFinding
from atwork.services.checks.jenkinsfile_rules import BuiltService, check_jenkinsfile
from atwork.services.checks.makefile_rules import check_makefile
from infra.services import ServiceSettings


def check(folder: Path, catalog: Mapping[str, ServiceSettings]) -> list[RepositoryFinding]:
    """Everything that a repository lacks; without findings, the pipeline accepts it.

    Raises `UsageError` if the folder is not found.
    """
    if not folder.is_dir():
        reason = "is not a folder" if folder.exists() else "folder not found"
        raise UsageError(f"{folder}: {reason}; name the folder of a service's repository")
    try:
        findings, services = check_jenkinsfile(folder, catalog)
    except UnreadableFileError as error:
        findings, services = [error.finding], [BuiltService()]
    for service in services:
        findings += _service(folder, service, catalog)
    return list(dict.fromkeys(findings))


def _service(folder: Path, built: BuiltService, catalog: Mapping[str, ServiceSettings]) -> Iterator[RepositoryFinding]:
    """Findings about what one call of the pipeline builds."""
    if not (folder / built.context).is_dir():
        yield RepositoryFinding("Jenkinsfile", f"context: folder {built.context} not found; name a folder that exists")
        return
    parts = (
        lambda: check_dockerfile(folder, built.path("Dockerfile"), built.test_target),
        lambda: check_makefile(folder, built.path("Makefile")),
        lambda: check_chart(folder, built, catalog.get(built.name or "")),
    )
    for part in parts:
        try:
            yield from part()
        except UnreadableFileError as error:
            yield error.finding
