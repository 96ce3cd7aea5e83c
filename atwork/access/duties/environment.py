"""The duties in one environment: nodes, people, services, service agents of Google, delivery and Jenkins itself."""

from __future__ import annotations

from collections.abc import Iterator

from atwork.access.duties import delivery
from atwork.access.duties.methods import (
    FIND_CLUSTER,
    GET_TOKEN,
    LOG_IN,
    LOG_IN_TO_REDIS,
    PASS_PROXY,
    PUBLISH,
    PULL,
    READ_SECRET,
    REPORT_NODE,
    USE_KEY,
    USE_SERVICE,
)
from atwork.access.duties.model import Duty, EnvironmentFacts, duty
from atwork.access.pods import PodAccount
from components import access, database_administrator, encryption, redis
from components.database_login import login_account_id
from components.gateway.names import IAP_CLIENT
from components.jenkins import secrets as jenkins_secrets
from components.jenkins.names import CONTROLLER_NAMESPACE
from components.secrets import AGENT


def duties(environment: EnvironmentFacts, upstream: EnvironmentFacts | None) -> Iterator[Duty]:
    """All duties in an environment."""
    yield from _nodes(environment, upstream)
    yield from _people(environment)
    yield from _services(environment)
    yield from _databases(environment)
    yield from _agents(environment)
    yield from _proxy(environment)
    yield from delivery.builds(environment)
    yield from delivery.releases(environment)
    if upstream is not None:
        yield from delivery.deploys(environment, upstream)
    if environment.config.jenkins is not None:
        yield from _jenkins(environment)


def _nodes(environment: EnvironmentFacts, upstream: EnvironmentFacts | None) -> Iterator[Duty]:
    nodes, config = environment.nodes, environment.config
    yield duty(nodes, "write logs and metrics", REPORT_NODE, environment.project)
    source = upstream or environment
    if source.config.registry is None:
        return
    repositories = {*access.PULLED_REPOSITORIES}
    if source is environment or config.preview_namespaces is not None:
        repositories.add(access.CANDIDATES)
    if source is environment and source.config.registry.gcr_host is not None:
        repositories.add(source.config.registry.gcr_host)
    for name in sorted(repositories):
        yield duty(nodes, "pull images", PULL, source.repository(name))
    if config.cluster.image_streaming:
        for project in (environment.project, source.project):
            yield duty(nodes, "stream images", USE_SERVICE, project)


def _people(environment: EnvironmentFacts) -> Iterator[Duty]:
    group = environment.config.cluster.admin_group
    if group is not None:
        yield duty(f"group:{group}", "reach the cluster", FIND_CLUSTER, environment.project)
    gateway = environment.config.gateway
    for admitted in gateway.iap.groups if gateway is not None and gateway.iap is not None else ():
        yield duty(f"group:{admitted}", "pass the Identity-Aware Proxy", PASS_PROXY, environment.project)


def _services(environment: EnvironmentFacts) -> Iterator[Duty]:
    """Secrets, databases and Redis of services, as the account that their pods are to Google."""
    project, project_id = environment.project, environment.config.project.id
    for namespace, tenant in environment.config.tenants.items():
        logins = environment.config.logins(namespace)
        for account in tenant.accounts:
            user = logins[account][1] if account in logins else None
            login = login_account_id(user) if user else None
            if tenant.redis is not None:
                login = environment.config.redis_logins(namespace)[account]
            email = f"{login}@{project_id}.iam.gserviceaccount.com" if login else None
            pod = PodAccount(project_id, namespace, account, email)
            if email is not None:
                yield duty(pod.principal, f"act as {email}", GET_TOKEN, f"{project}/serviceAccounts/{email}")
            if user is not None:
                yield duty(pod.identity, "log in to Cloud SQL", LOG_IN, project)
            if tenant.redis is not None:
                instance = redis.resource_name(project_id, environment.config.region, namespace)
                yield duty(pod.identity, "log in to Redis", LOG_IN_TO_REDIS, instance)
            for key, secret in tenant.secrets.items():
                if account in secret.readers:
                    yield duty(pod.identity, "read a secret", READ_SECRET, f"{project}/secrets/{namespace}-{key}")


def _databases(environment: EnvironmentFacts) -> Iterator[Duty]:
    """Jobs that give rights in databases log in as the administrator."""
    if not environment.config.databases:
        return
    project, project_id = environment.project, environment.config.project.id
    email = database_administrator.account_email(project_id)
    job = PodAccount(project_id, database_administrator.NAMESPACE, database_administrator.ACCOUNT, email)
    yield duty(job.principal, f"act as {email}", GET_TOKEN, f"{project}/serviceAccounts/{email}")
    yield duty(job.identity, "give rights in databases", LOG_IN, project)


def _proxy(environment: EnvironmentFacts) -> Iterator[Duty]:
    """GKE's secret sync reads the secret of the proxy's client as an account of each namespace behind the proxy."""
    config = environment.config
    if config.iap_client is None:
        return
    namespaces = set(environment.proxied)
    if config.jenkins_behind_proxy:
        namespaces.add(CONTROLLER_NAMESPACE)
    if config.preview_namespaces is not None:
        namespaces.update(config.preview_namespaces.names())
    for namespace in sorted(namespaces):
        pod = PodAccount(config.project.id, namespace, IAP_CLIENT)
        yield duty(
            pod.identity, "sync a secret", READ_SECRET, f"{environment.project}/secrets/{config.iap_client.secret}"
        )


def _agents(environment: EnvironmentFacts) -> Iterator[Duty]:
    """Service agents of Google: keys, and reminders to rotate secrets."""
    for purpose, service in encryption.AGENTS.items():
        for key, name in environment.keys.items():
            if key.startswith(f"{purpose}-"):
                yield duty(environment.agents[service], "encrypt and decrypt", USE_KEY, name)
    for namespace, tenant in environment.config.tenants.items():
        if any(secret.rotation for secret in tenant.secrets.values()):
            topic = f"{environment.project}/topics/{namespace}-secrets"
            yield duty(environment.agents[AGENT], "send reminders to rotate secrets", PUBLISH, topic)


def _jenkins(environment: EnvironmentFacts) -> Iterator[Duty]:
    """The controller mounts its secrets; tests call no API of Google."""
    project_id, settings = environment.config.project.id, environment.config.jenkins
    for secret in () if settings is None else jenkins_secrets.expected(settings):
        for reader in secret.accounts:
            pod = PodAccount(project_id, CONTROLLER_NAMESPACE, reader)
            name = f"{environment.project}/secrets/{secret.name}"
            yield duty(pod.identity, "mount a secret", READ_SECRET, name)
