"""The repository whose pipeline is played: its names, its Dockerfiles, and a copy with uncommitted changes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atwork.errors import UsageError
from atwork.pipeline.session import Source
from atwork.services.checks.jenkinsfile_rules import FILE, check_jenkinsfile
from infra.services import ServiceSettings


@dataclass(frozen=True)
class ServiceRepository:
    """The repository of a service in a folder of any name."""

    name: str
    """Its name on GitHub, which is also the name of its job in Jenkins."""
    service: str
    """Name of the service in the catalog."""
    dockerfiles: str
    """The text of the Dockerfiles that its Jenkinsfile builds."""


def identify(folder: Path, catalog: Mapping[str, ServiceSettings]) -> ServiceRepository:
    """The repository in a folder, by its remote `origin`, else by its Jenkinsfile, else by the name of the folder.

    Raises `UsageError` if it has no Jenkinsfile, and `UserError` if the Jenkinsfile is no text.
    """
    if not (folder / FILE).exists():
        raise UsageError(f"{folder}: has no Jenkinsfile; `atwork service check {folder}` lists what is missing")
    _, built = check_jenkinsfile(folder, catalog)
    paths = [folder / each.path("Dockerfile") for each in built]
    dockerfiles = "\n".join(path.read_text(errors="replace") for path in paths if path.is_file())
    repositories = {service: _name(settings.repository) for service, settings in catalog.items()}
    if origin := _name(_git(folder, "remote", "get-url", "origin", check=False)):
        services = [service for service, name in repositories.items() if name.lower() == origin.lower()]
        return ServiceRepository(origin, (services or [origin])[0], dockerfiles)
    services = [each.name for each in built if each.name in repositories]
    service = services[0] if services and services[0] else folder.resolve().name
    return ServiceRepository(repositories.get(service, service), service, dockerfiles)


def snapshot(folder: Path, target: Path, pull_request: str) -> Source:
    """A bare repository with the last commit and the uncommitted changes of files that git tracks, as branch main."""
    # It fails without a word if only times of files changed, which looks like a change until it compares them.
    commit = _git(folder, "stash", "create", check=False) or _git(folder, "rev-parse", "HEAD")
    _git(folder, "init", "--quiet", "--bare", str(target))
    _git(folder, "push", "--quiet", "--force", str(target), f"{commit}:refs/heads/main")
    return Source(str(target), "main", pull_request)


def _name(url: str) -> str:
    """The last part of an address, such as `https://github.com/acme/stock.git` or `git@github.com:acme/stock`."""
    return re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git")


def _git(folder: Path, *words: str, check: bool = True) -> str:
    """The output of git; empty if it fails and may fail."""
    command = ["git", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and check:
        raise UsageError(f"{folder}: not a git repository with a commit: {done.stderr.strip()[-200:]}")
    return "" if done.returncode else done.stdout.strip()
