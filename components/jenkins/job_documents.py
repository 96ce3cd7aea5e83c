"""The documents from which delivery/jobs/*.groovy define Jenkins' jobs, as Configuration as Code.

Each key of a document is read by the file of its name. Configuration as Code passes the document to the files as a
variable and runs them as Job DSL at every start and reload, outside Groovy's sandbox.
`providedEnv`: https://github.com/jenkinsci/job-dsl-plugin/blob/master/docs/JCasC.md

Traps: a document is not a literal in the text of a file, because Groovy compiles no literal over 64 KiB. Configuration
as Code resolves `${` twice in a file, so that it cannot be escaped there, and once in a document. The chart passes both
through its template engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.delivery import PlatformSource
from components.jenkins import names, secrets
from components.jenkins.jobs import FOLDER, SERVICES, Job, PreviewJob
from components.jenkins.registry import Images
from components.jenkins.settings import JenkinsSettings

VARIABLE = "ATWORK_JOBS"
"""Variable of the document in the files."""

REPORTS_APP = "ATWORK_REPORTS_APP"
REPORTS_KEY = "ATWORK_REPORTS_KEY"
"""Variables of the GitHub App that writes reports. Its credential is in folders: pipelines elsewhere cannot name it."""

PREVIEWS = names.PREVIEWS_FOLDER
CHANGES = names.CHANGES_FOLDER
_PREVIEWS_DESCRIPTION = "Previews of pull requests for every environment; they change nothing"
_CHANGES_DESCRIPTION = "Jobs that change the environments; they run only the main branch"

_JANITOR_ARGUMENTS = ("environment", "project", "location", "cluster", "namespaces", "hours")

_OWN_JOBS = {
    "update": ("Updates all environments to the main branch, one stage after another", ""),
    "drift": ("Reports what changed outside Pulumi", "H 3 * * *"),
    "reap": ("Destroys ephemeral environments that have expired", "H * * * *"),
}
"""Description and schedule; a job without a schedule starts with a push to the main branch."""


@dataclass(frozen=True)
class Polling:
    """How often Jenkins itself asks GitHub for changes."""

    repository: str
    """Schedule of the job that updates environments: one call of `git ls-remote`."""
    services: str
    """Interval of the scans of all repositories and pull requests, whose number is limited by GitHub."""

    @classmethod
    def of(cls, settings: JenkinsSettings) -> Polling:
        """With an external gateway, GitHub calls, and a call can be lost; without one, no call arrives."""
        return cls("H * * * *", "1h") if settings.called is not None else cls("H/5 * * * *", "15m")


@dataclass(frozen=True)
class JobDefinitions:
    """The files that define jobs, and the jobs of services that they define."""

    files: Mapping[str, str]
    """Texts of delivery/jobs/NAME.groovy by NAME."""

    jobs: Sequence[Job] = ()


def release_jobs(
    settings: JenkinsSettings, source: PlatformSource, images: Images, definitions: JobDefinitions
) -> dict[str, Any]:
    """All jobs but those of groups of services that have a script of their own."""
    polling = Polling.of(settings)
    document: dict[str, Any] = {
        "folders": [_platform(settings)],
        "services": {
            "name": SERVICES,
            "organization": source.organization,
            "credential": settings.github_credential,
            "scan": polling.services,
            # The Jenkinsfile of this repository needs clouds that the folder's jobs may not use.
            "excluded": source.name if settings.platform is not None else "",
        },
        "pipelines": list(_pipelines(definitions.jobs, images, names.JANITOR_JOB)),
    }
    if settings.platform is not None:
        document["folders"] += [
            _folder(PREVIEWS, _PREVIEWS_DESCRIPTION, [names.PREVIEW_CLOUD], _reports(settings, source.name)),
            _folder(
                CHANGES,
                _CHANGES_DESCRIPTION,
                [cloud for cloud in settings.targets() if names.is_platform_cloud(cloud)],
                _reports(settings, source.name),
            ),
        ]
        document["stacks"] = {
            "previews": f"{PREVIEWS}/stacks",
            "organization": source.organization,
            "repository": source.name,
            "url": source.url,
            "main": settings.platform.main,
            "poll": polling.repository,
            "scan": polling.services,
            "credential": settings.github_credential,
            "library_credential": settings.library_credential,
            "jobs": [
                {"path": f"{CHANGES}/{name}", "description": description, "schedule": schedule}
                for name, (description, schedule) in _OWN_JOBS.items()
            ],
        }
    return _script(settings, definitions.files, document)


def group_jobs(settings: JenkinsSettings, images: Images, group: str, definitions: JobDefinitions) -> dict[str, Any]:
    """The jobs of one group of services. Jenkins appends them to the other scripts, which define the folder alike."""
    pipelines = list(_pipelines(definitions.jobs, images, names.janitor_job(group)))
    return _script(settings, definitions.files, {"folders": [_platform(settings)], "pipelines": pipelines})


def _script(settings: JenkinsSettings, files: Mapping[str, str], document: Mapping[str, Any]) -> dict[str, Any]:
    # Both characters can only be inside of strings: `${` would be resolved, `{{` is the chart's template.
    text = json.dumps(document, indent=1).replace("$", r"\u0024").replace("{{", r"{\u007b")
    variables = {VARIABLE: text}
    if settings.reports:
        variables[REPORTS_APP] = secrets.reference(secrets.REPORTS_APP_ID)
        variables[REPORTS_KEY] = secrets.reference(secrets.REPORTS_APP_KEY)
    return {"jobs": [{"providedEnv": variables}, *({"script": files[key]} for key in document)]}


def _platform(settings: JenkinsSettings) -> dict[str, Any]:
    """The only folder whose jobs may use the clouds that deploy services."""
    clouds = [cloud for cloud in settings.targets() if not names.is_platform_cloud(cloud)]
    # The janitor of preview namespaces asks about pull requests of all services.
    reports = {} if settings.previews() is None else _reports(settings)
    return _folder(FOLDER, "Jobs of the platform team: the only ones that may deploy", clouds, reports)


def _folder(name: str, description: str, clouds: Iterable[str], reports: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "description": description, "clouds": list(clouds), "reports": dict(reports)}


def _reports(settings: JenkinsSettings, *repositories: str) -> dict[str, Any]:
    """The credential of the App that writes reports, for some repositories, or for all where it is installed."""
    return {
        "id": settings.reports_credential,
        "repositories": list(repositories),
    }


def _pipelines(jobs: Sequence[Job], images: Images, janitor: str) -> Iterable[dict[str, Any]]:
    """The jobs of services, and the janitor of preview namespaces where there are any."""
    for job in jobs:
        yield {
            "path": job.path,
            "description": job.description,
            "parameters": [{"name": name, "description": text} for name, text in job.parameters.items()],
            "function": job.function,
            "arguments": job.arguments(images),
        }
    previews = [job for job in jobs if isinstance(job, PreviewJob)]
    if not previews:
        return
    all_arguments = previews[0].arguments(images)
    repositories = {job.service: job.repository.removesuffix(".git") for job in previews}
    environment = previews[0].environment
    yield {
        "path": f"{FOLDER}/{janitor}",
        "description": f"Empties preview namespaces in {environment} with expired leases or closed pull requests",
        "schedule": "H * * * *",
        "function": "previewJanitor",
        "arguments": {
            **{key: all_arguments[key] for key in _JANITOR_ARGUMENTS},
            "repositories": json.dumps(repositories),
            "hosts": "true" if all_arguments["host"] else "",
        },
    }
