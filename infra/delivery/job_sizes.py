"""The size of the ConfigMaps with Jenkins' jobs, from the text that the stacks write into them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from infra.company import CompanySettings
from infra.delivery import jobs
from infra.delivery.job_files import job_files
from infra.environment import Environment
from infra.services import ServiceSettings
from infra.stack import StackConfig
from infra.stack_name import StackName


def job_sizes(
    name: str,
    environments: Mapping[str, StackConfig],
    services: Mapping[str, ServiceSettings],
    company: CompanySettings,
    separate: Collection[str],
) -> dict[str, int]:
    """Bytes by the name of the stack; empty for an environment without Jenkins.

    `environments` are without their services; `separate` are the groups with a stack of their own in `name`.
    """
    config = environments[name]
    if config.jenkins is None or config.registry is None:
        return {}
    from components.jenkins import job_documents  # only loaded where Jenkins runs
    from components.jenkins.documents import as_yaml
    from components.jenkins.registry import Images, mirror

    files = job_files()
    images = Images(mirror(config.registry.location, config.project.id), config.jenkins.images)
    by_stack: dict[StackName, dict[str, ServiceSettings]] = {StackName(name): {}}
    for key, service in services.items():
        stack = StackName(name, service.group if service.group in separate else None)
        by_stack.setdefault(stack, {})[key] = service
    sizes: dict[str, int] = {}
    for stack, members in by_stack.items():
        offered = jobs.offered(Environment(name, config, members, environments, company, stack.group), config.jenkins)
        definitions = job_documents.JobDefinitions(files, offered)
        if stack.group is not None:
            script = job_documents.group_jobs(config.jenkins, images, stack.group, definitions)
        else:
            script = job_documents.release_jobs(config.jenkins, company.source, images, definitions)
        sizes[str(stack)] = len(as_yaml(script).encode())
    return sizes
