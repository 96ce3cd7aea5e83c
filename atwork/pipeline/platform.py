"""What a pipeline finds on the platform, read from the simulated cloud: Jenkins' settings, identities, repositories."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from atwork.access.model import AccessModel
from atwork.access.pods import PodAccount
from atwork.checkout import Checkout
from atwork.errors import AccessError, SandboxError
from atwork.sandbox.access_model import SandboxAccess, accounts
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.clusters import credentials
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.endpoints import ClusterEndpoint, TokenHolder
from atwork.sandbox.home import Home
from atwork.sandbox.node_rights import repositories, rights
from atwork.sandbox.provider.values import reveal
from components.jenkins.job_documents import VARIABLE
from components.type_tokens import CLUSTER, NODE_POOL, RELEASE

_CONNECT = "container.clusters.connect"
DESCRIBE = "container.clusters.get"


@dataclass(frozen=True)
class PlatformCluster:
    """A cluster, and the host name of its DNS endpoint."""

    resource: str
    project: str
    location: str
    name: str
    host: str
    endpoint: ClusterEndpoint | None
    """None if the cluster is simulated: no API server answers then."""


@dataclass(frozen=True)
class JenkinsPlatform:
    """The platform as Jenkins and the pods of its builds see it."""

    values: Mapping[str, Any]
    """Values of the Jenkins chart."""
    documents: Sequence[Mapping[str, Any]]
    """The documents that define jobs."""
    project: str
    model: AccessModel
    accounts: Mapping[tuple[str, str, str], PodAccount]
    """By project, namespace and name."""
    repositories: Mapping[str, CloudObject]
    """By PROJECT/REPOSITORY."""
    clusters: Sequence[PlatformCluster]
    nodes: Mapping[str, str]
    """E-mail address of the account of a cluster's nodes, by project: nodes pull the images of pods."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that Jenkins gives every build."""
        script = yaml.safe_load(self.values["controller"]["JCasC"]["configScripts"]["environment"])
        [properties] = script["jenkins"]["globalNodeProperties"]
        return {pair["key"]: str(pair["value"]) for pair in properties["envVars"]["env"]}

    @property
    def jobs(self) -> dict[str, Mapping[str, Any]]:
        """The definitions of the platform's jobs, by full name."""
        return {job["path"]: job for document in self.documents for job in document.get("pipelines", ())}

    def deployed_namespaces(self) -> set[tuple[str, str]]:
        """The namespaces into which jobs deploy, as (environment, name)."""
        namespaces: set[tuple[str, str]] = set()
        for job in self.jobs.values():
            arguments = job["arguments"]
            if job["function"] == "deployService":
                namespaces.add((arguments["environment"], arguments["service"]))
            if job["function"] == "previewService":
                numbers = range(1, int(arguments["namespaces"]) + 1)
                namespaces |= {(arguments["environment"], f"preview-{number}") for number in numbers}
        return namespaces

    def job(self, path: str) -> Mapping[str, Any]:
        """The definition of a job of the platform; `SandboxError` if there is none."""
        jobs = self.jobs
        if path.strip("/") not in jobs:
            raise SandboxError(f"Jenkins has no job {path}; jobs: {', '.join(jobs)}")
        return jobs[path.strip("/")]

    def holder(self, namespace: str, account: str) -> TokenHolder:
        """What the pods of an account of Jenkins' cluster may do, by the IAM grants of the simulated cloud."""
        known = self.accounts.get((self.project, namespace, account))
        if known is None:
            raise SandboxError(f"{namespace}/{account}: no such service account in {self.project}")
        registry = self._registry(known.identity)
        clusters = tuple(each.host for each in self.clusters if self.may(known.identity, _CONNECT, each.resource))
        return TokenHolder(known.identity, registry, clusters, known.identity.removeprefix("serviceAccount:"))

    def node(self, project: str) -> TokenHolder:
        """What the nodes of a project's cluster may pull."""
        principal = f"serviceAccount:{self.nodes[project]}"
        return TokenHolder(principal, self._registry(principal))

    def _registry(self, principal: str) -> dict[str, list[str]]:
        return rights(principal, self.repositories, self.may)

    def described(self, holder: TokenHolder) -> dict[str, str]:
        """The endpoints of the clusters that an identity may describe, by PROJECT/LOCATION/NAME."""
        return {
            f"{each.project}/{each.location}/{each.name}": each.host
            for each in self.clusters
            if self.may(holder.principal, DESCRIBE, each.resource)
        }

    def may(self, principal: str, permission: str, resource: str) -> bool:
        """Whether the IAM grants of the simulated cloud allow it."""
        return bool(self.model.may(principal, permission, resource))


def read(checkout: Checkout, home: Home, fleet: Fleet | None) -> JenkinsPlatform:
    """The platform of a sandbox whose environment with Jenkins is up; `SandboxError` if it is not."""
    objects = Cloud(home.cloud).objects() if home.cloud.exists() else []
    release = next((item for item in objects if item.type == RELEASE and _name(item) == "jenkins"), None)
    if release is None:
        raise SandboxError("Jenkins is not up in the sandbox; run `atwork sandbox up` first")
    clusters = [_cluster(item, fleet) for item in objects if item.type == CLUSTER]
    ci = next(each for each in clusters if release.scope.endswith(each.host) or release.scope == _server(each))
    try:
        model = SandboxAccess(checkout).model()
    except AccessError as error:
        raise SandboxError(str(error)) from None
    return JenkinsPlatform(
        values := reveal(release.inputs)["values"],
        [*_documents(values["controller"]["JCasC"]["configScripts"]["jobs"])],
        ci.project,
        model,
        {(each.project, each.namespace, each.name): each for each in accounts(objects)},
        repositories(objects),
        clusters,
        {
            item.id.split("/")[1]: str(reveal(item.inputs)["nodeConfig"]["serviceAccount"])
            for item in objects
            if item.type == NODE_POOL
        },
    )


def _name(release: CloudObject) -> str:
    return str(reveal(release.inputs).get("name", ""))


def _documents(script: str) -> list[dict[str, Any]]:
    variables = [entry["providedEnv"] for entry in yaml.safe_load(script)["jobs"] if "providedEnv" in entry]
    return [json.loads(each[VARIABLE]) for each in variables]


def _server(cluster: PlatformCluster) -> str:
    return cluster.endpoint.server if cluster.endpoint else ""


def _cluster(item: CloudObject, fleet: Fleet | None) -> PlatformCluster:
    _, project, _, location, _, name = item.id.split("/")
    address = reveal(item.outputs)["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"]
    real = fleet.at(f"https://{address}") if fleet is not None else None
    if fleet is None or real is None:
        return PlatformCluster(item.id, project, location, name, address, None)
    token = credentials.token(fleet.folder / "shared", credentials.ENGINEER)
    endpoint = ClusterEndpoint(real.server, str(fleet.authority(real)), token)
    return PlatformCluster(item.id, project, location, name, f"{name}.{project}.gke.goog", endpoint)


def new_token() -> str:
    """A token that nobody guesses."""
    return f"ya29.{secrets.token_urlsafe(24)}"
