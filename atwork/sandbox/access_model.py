"""The access model of a checkout: its sandbox, and what bootstrap grants according to stacks/platform.yaml.

`atwork access` uses it without importing it (atwork/access/source.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from atwork.access import audit, cluster_duties, planned, pods, simulated
from atwork.access.audit import AccessFinding
from atwork.access.duties import table
from atwork.access.duties.model import EnvironmentFacts
from atwork.access.model import AccessModel
from atwork.access.rbac import GROUP, Rbac
from atwork.checkout import Checkout
from atwork.environments.bootstrap import plan as plans
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.errors import AccessError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from atwork.sandbox.provider.gcp.clusters import servers
from atwork.sandbox.provider.values import reveal
from components.identity import ANNOTATION
from components.type_tokens import CLUSTER
from infra import company
from infra.catalog import read_all as read_services
from infra.config import read_all
from infra.layout import PLATFORM_FILE
from infra.service_composition import complete
from infra.services import ServiceSettings, behind_proxy
from infra.stack import StackConfig

ACCOUNT = "kubernetes:core/v1:ServiceAccount"


@dataclass(frozen=True)
class SandboxAccess:
    """The access model of the environments in a checkout's sandbox."""

    checkout: Checkout

    def model(self) -> AccessModel:
        """The model of all environments that are up; `AccessError` when none is."""
        home = Home(self.checkout.root)
        environments = read_all(home.project.stacks)
        return _model(environments, _plans(home, environments), _objects(home))

    def findings(self) -> list[AccessFinding]:
        """All differences between rights and duties of the identities of the environments that are up."""
        return _findings(Home(self.checkout.root))


def _findings(home: Home) -> list[AccessFinding]:
    objects = _objects(home)
    environments, catalog = read_all(home.project.stacks), read_services(home.project.services)
    running = {name: config for name, config in environments.items() if _is_up(objects, config)}
    facts = {name: _facts(name, config, catalog, objects) for name, config in running.items()}
    bootstrapped = [plan for plan in _plans(home, environments) if plan.name in running]
    access = _model(environments, bootstrapped, objects)
    absent = {config.project.id for name, config in environments.items() if name not in running}
    acting = pods.without_projects(accounts(objects), absent)
    mistakes = pods.mistakes(access, acting, external_accounts(environments))
    return [
        *(AccessFinding(*sentence.split(": ", 1)) for sentence in mistakes),
        *audit.findings(access, table.duties(facts, bootstrapped)),
        *(finding for name, fact in facts.items() for finding in _cluster_findings(name, fact.config, objects)),
    ]


def _objects(home: Home) -> Sequence[CloudObject]:
    return Cloud(home.cloud).objects() if home.cloud.exists() else []


def _cluster_findings(name: str, config: StackConfig, objects: Sequence[CloudObject]) -> Iterator[AccessFinding]:
    """Duties that RBAC does not allow inside the cluster of one environment."""
    prefix = f"projects/{config.project.id}/"
    clusters = [item for item in objects if item.type == CLUSTER and item.id.startswith(prefix)]
    scopes = {scope for cluster in clusters for scope in servers(cluster)}
    rbac_objects = [item for item in objects if item.scope in scopes and item.type.startswith(f"kubernetes:{GROUP}/")]
    rbac = Rbac((item.type.rpartition(":")[2], reveal(item.inputs)) for item in rbac_objects)
    return cluster_duties.missing(name, rbac, cluster_duties.duties(config))


def accounts(objects: Sequence[CloudObject]) -> Iterator[pods.PodAccount]:
    """The Kubernetes service accounts of all clusters."""
    clusters = [item for item in objects if item.type == CLUSTER]
    projects = {address: cluster.id.split("/")[1] for cluster in clusters for address in servers(cluster)}
    for item in objects:
        if item.type == ACCOUNT and item.scope in projects:
            metadata = reveal(item.inputs)["metadata"]
            annotation = (metadata.get("annotations") or {}).get(ANNOTATION)
            yield pods.PodAccount(projects[item.scope], metadata["namespace"], metadata["name"], annotation)


def external_accounts(environments: Mapping[str, StackConfig]) -> dict[str, str]:
    """Google accounts that people bind to pods of this repository's own pipeline, each with the page that says how."""
    platforms = [
        config.jenkins.platform for config in environments.values() if config.jenkins and config.jenkins.platform
    ]
    emails = [target.account for platform in platforms for target in platform.targets().values()]
    return {email: "docs/previews.md" for email in emails if email}


def _model(
    environments: Mapping[str, StackConfig], bootstrap_plans: Sequence[BootstrapPlan], objects: Sequence[CloudObject]
) -> AccessModel:
    if not objects:
        raise AccessError("the sandbox is empty; run `atwork sandbox up`")
    projects = [config.project for config in environments.values()]
    numbers = {project.id: project.number for project in projects if project.number is not None}
    return simulated.model(objects, numbers).join(planned.model(bootstrap_plans))


def _plans(home: Home, environments: Mapping[str, StackConfig]) -> list[BootstrapPlan]:
    stacks = home.project.stacks
    if not (stacks / PLATFORM_FILE).exists():
        return []
    platform = company.read(stacks)
    return [plans.of(name, environments, platform) for name in environments]


def _is_up(objects: Sequence[CloudObject], config: StackConfig) -> bool:
    prefix = f"projects/{config.project.id}/"
    return any(item.type == CLUSTER and item.id.startswith(prefix) for item in objects)


def _facts(
    name: str, config: StackConfig, catalog: Mapping[str, ServiceSettings], objects: Sequence[CloudObject]
) -> EnvironmentFacts:
    project = config.project
    created = (item for item in objects if item.type == simulated.PROJECT and item.id == f"projects/{project.id}")
    number = project.number or next((str(item.outputs["number"]) for item in created), "")
    google = [item for item in objects if item.type.startswith("gcp:")]
    agents, keys = simulated.agents(google, project.id, number), simulated.keys(google, project.id)
    proxied = behind_proxy(name, config.environment, catalog)
    return EnvironmentFacts(name, complete(name, config, catalog), agents, keys, proxied)
