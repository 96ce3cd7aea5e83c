"""The jobs that Jenkins offers: each service in each environment that it runs in and Jenkins deploys to."""

from __future__ import annotations

from components.jenkins.jobs import DeployJob, Job, PreviewJob, PromoteJob
from components.jenkins.settings import JenkinsSettings
from infra.environment import Environment, physical_name
from infra.services import ServiceSettings, within
from infra.stack import StackConfig


def offered(here: Environment, settings: JenkinsSettings) -> list[Job]:
    """A job for each service of the catalog in each environment that it runs in and Jenkins deploys to.

    A service with such jobs has one more, which releases its builds.
    """
    deploys = [*_deploys(here, settings), *_previews(here, settings)]
    released = dict.fromkeys(job.service for job in deploys)
    return [*(PromoteJob(service=name, **_source(here.services[name])) for name in released), *deploys]


def _deploys(here: Environment, settings: JenkinsSettings) -> list[DeployJob]:
    running = {
        environment: within(environment, here.others[environment].environment, here.services)
        for environment in settings.deploys
    }
    return [
        DeployJob(
            **_about(name, service, environment, here.others[environment]),
            minutes=service.rollout_minutes,
            host=running[environment][name].host or "",
            approvers=",".join(sorted(deploy.approvers)),
        )
        for name, service in here.services.items()
        for environment, deploy in settings.deploys.items()
        if name in running[environment]
    ]


def _about(name: str, service: ServiceSettings, environment: str, place: StackConfig) -> dict[str, str]:
    """What every job says of a service and of where it goes."""
    return {
        "service": name,
        **_source(service),
        "environment": environment,
        "project": place.project.id,
        "location": place.cluster.zone or place.region,
        "cluster": physical_name(environment),
        "channel": service.channel,
    }


def _source(service: ServiceSettings) -> dict[str, str]:
    """The repository and the branch whose builds are released."""
    return {"repository": service.repository, "branch": service.main_branch}


def _previews(here: Environment, settings: JenkinsSettings) -> list[PreviewJob]:
    """A job for each service in the environment with preview namespaces, except services that opt out."""
    chosen = settings.previews()
    if chosen is None:
        return []
    environment, deploy = chosen
    place = here.others[environment]
    running = within(environment, place.environment, here.services)
    return [
        PreviewJob(
            **_about(name, service, environment, place),
            minutes=service.rollout_minutes,
            namespaces=place.preview_namespaces.count if place.preview_namespaces else 0,
            hours=deploy.hours,
            stores=service.stores,
            gateway=place.gateway if place.preview_domain is not None else None,
        )
        for name, service in here.services.items()
        if service.ephemeral is not None and name in running
    ]
