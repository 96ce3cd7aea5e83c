"""The folder `platform` as Job DSL: a job for each service and environment, and the janitor of preview namespaces.

The target of a deploy is fixed in the job: a caller only chooses the version. Jenkins creates the folder and its jobs
from this text at every start; only administrators can change them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from components.jenkins import names
from components.jenkins.job_dsl import call, permitted, pipeline, quoted, schedule
from components.jenkins.jobs import FOLDER, Job, PreviewJob
from components.jenkins.registry import Images

_JANITOR_ARGUMENTS = ("environment", "project", "location", "cluster", "namespaces", "hours")


def platform(clouds: Iterable[str], jobs: Iterable[Job], images: Images, *, janitor: str = names.JANITOR_JOB) -> str:
    """The only folder whose jobs may use these clouds, and its jobs.

    Several texts may define the folder: each defines it alike, and adds its own jobs.
    """
    folder = f"""\
folder('{FOLDER}') {{
  displayName('Platform')
  description('Jobs of the platform team: the only ones that may deploy')
{permitted(clouds)}}}
"""
    all_jobs = list(jobs)
    services = sorted({job.service for job in all_jobs})
    folders = [f"folder({quoted(f'{FOLDER}/{service}')})\n" for service in services]
    previews = [job for job in all_jobs if isinstance(job, PreviewJob)]
    return "".join([folder, *folders, *(_job(job, images) for job in all_jobs), *_janitor(janitor, previews, images)])


def _job(job: Job, images: Images) -> str:
    return f"""\
pipelineJob({quoted(job.path)}) {{
  description({quoted(job.description)})
  logRotator {{ numToKeep(100) }}
  parameters {{
    stringParam('VERSION', '', 'A version that a build made, such as 1.4.0-17.g1a2b3c4d')
    stringParam('THREAD', '', 'Slack thread to continue')
{_pull(job)}  }}
{pipeline(call(job.function, job.arguments(images)))}}}
"""


def _pull(job: Job) -> str:
    if not isinstance(job, PreviewJob):
        return ""
    return "    stringParam('PULL', '', 'Number of the pull request; builds need not set it')\n"


def _janitor(name: str, previews: list[PreviewJob], images: Images) -> Iterable[str]:
    """A job that checks every preview namespace each hour; nothing without preview namespaces."""
    if not previews:
        return
    all_arguments = previews[0].arguments(images)
    arguments = {key: all_arguments[key] for key in _JANITOR_ARGUMENTS}
    repositories = {job.service: job.repository.removesuffix(".git") for job in previews}
    arguments["repositories"] = json.dumps(repositories)
    description = f"Empties preview namespaces in {previews[0].environment} with expired leases or closed pull requests"
    yield f"""\
pipelineJob({quoted(f"{FOLDER}/{name}")}) {{
  description({quoted(description)})
  logRotator {{ numToKeep(100) }}
{schedule("H * * * *")}{pipeline(call("previewJanitor", arguments))}}}
"""
