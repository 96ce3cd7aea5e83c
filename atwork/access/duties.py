"""What every identity of the platform does, in one table: each duty is an identity, API methods and a resource.

The table is written from what the commands, charts and pipelines call, and not from the bindings, so that the two can
be held against each other (atwork/access/audit.py). An identity is as Google's APIs see it: a pod with a Google account
is that account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from atwork.access import calls
from atwork.access.pods import PodAccount
from atwork.environments.bootstrap.identities import federated
from atwork.environments.bootstrap.plan import REAP_ACCOUNT, Plan
from components import access, encryption, repositories
from components.jenkins import names
from components.jenkins import secrets as jenkins_secrets
from components.node_account import STREAMING_ROLE, node_account_id
from components.secrets import AGENT
from infra.environment import physical_name
from infra.stack import StackConfig

PULL = (
    "artifactregistry.projects.locations.repositories.get",
    "permission:artifactregistry.repositories.downloadArtifacts",
)
"""Images and charts. https://cloud.google.com/artifact-registry/docs/access-control#permissions"""

PUSH = (
    *PULL,
    "permission:artifactregistry.repositories.uploadArtifacts",
    "artifactregistry.projects.locations.repositories.packages.tags.create",
    "artifactregistry.projects.locations.repositories.packages.tags.patch",
)
READ_SECRET = ("secretmanager.projects.secrets.versions.access",)
LOG_IN = tuple(f"permission:cloudsql.instances.{verb}" for verb in ("connect", "get", "login"))
"""The connector asks for the instance and a certificate, and logs in by IAM."""

USE_KEY = (
    "cloudkms.projects.locations.keyRings.cryptoKeys.encrypt",
    "cloudkms.projects.locations.keyRings.cryptoKeys.decrypt",
)
PUBLISH = ("pubsub.projects.topics.publish",)
GET_TOKEN = ("iamcredentials.projects.serviceAccounts.generateAccessToken",)
FIND_CLUSTER = ("container.projects.locations.clusters.get", "permission:container.clusters.connect")
REPORT_NODE = tuple(
    f"permission:{one}"
    for one in (
        "logging.logEntries.create",
        "monitoring.metricDescriptors.create",
        "monitoring.timeSeries.create",
        "autoscaling.sites.writeMetrics",
    )
)
USE_SERVICE = ("permission:serviceusage.services.use",)
READ_STATE = tuple(f"permission:storage.objects.{verb}" for verb in ("get", "list"))
WRITE_STATE = tuple(f"permission:storage.objects.{verb}" for verb in ("create", "delete", "update"))
DECRYPT = ("cloudkms.projects.locations.keyRings.cryptoKeys.decrypt",)
DELETE_PROJECT = ("cloudresourcemanager.projects.delete",)
CREATE_PROJECT = ("cloudresourcemanager.projects.create",)
PAY = ("permission:billing.resourceAssociations.create",)

_RELEASES = ("kubernetes:core/v1:Secret", "kubernetes:helm.sh/v3:Release")
_CONFIGURATION = calls.reads(
    [*calls.TYPES, *(kind for kind in calls.KINDS if kind not in _RELEASES)]
) | calls.permissions(USE_SERVICE)
_INSIDE = frozenset(
    f"container.{kind}.{verb}" for kind in set(calls.KINDS.values()) for verb in ("create", "update", "delete")
) | {f"container.{kind}.{verb}" for kind in ("roles", "clusterRoles") for verb in ("bind", "escalate")}
_GRANTS = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"

_FIXED = (PULL, PUSH, READ_SECRET, USE_KEY, PUBLISH, GET_TOKEN, FIND_CLUSTER, DECRYPT, CREATE_PROJECT, DELETE_PROJECT)


PERSON: Mapping[str, tuple[str, ...]] = {
    "roles/resourcemanager.projectCreator": CREATE_PROJECT,
    "roles/billing.user": PAY,
    "roles/resourcemanager.folderIamAdmin": ("permission:resourcemanager.folders.setIamPolicy",),
    "roles/billing.admin": ("permission:billing.accounts.setIamPolicy",),
}
"""Who bootstraps: what is done with each role that docs/bootstrap.md asks for. All else is an owner's, which whoever
makes a project is: https://cloud.google.com/resource-manager/docs/creating-managing-projects"""


def methods() -> set[str]:
    """Every API method that an identity calls."""
    fixed = {call for listed in _FIXED for call in listed if not call.startswith("permission:")}
    return fixed | calls.methods()


@dataclass(frozen=True)
class Duty:
    """One thing that an identity does."""

    identity: str
    does: str
    permissions: frozenset[str]
    resource: str
    grants: frozenset[str] = frozenset()
    """Roles that it grants, where it sets a policy."""


@dataclass(frozen=True)
class Place:
    """An environment with its services (`infra.config.load`), and what only the cloud knows of it."""

    name: str
    config: StackConfig
    agents: Mapping[str, str]
    """Google's own accounts, `serviceAccount:EMAIL` by service."""
    keys: Mapping[str, str]
    """Resource names of keys by `PURPOSE-LOCATION`."""

    @property
    def project(self) -> str:
        """Resource name."""
        return f"projects/{self.config.project.id}"

    @property
    def nodes(self) -> str:
        """The nodes' account."""
        return self.account(node_account_id(physical_name(self.name)))

    def account(self, short: str) -> str:
        """A service account of its project."""
        return f"serviceAccount:{short}@{self.config.project.id}.iam.gserviceaccount.com"

    def repository(self, name: str) -> str:
        """A repository of its registry."""
        settings = self.config.registry
        if settings is None:
            raise ValueError(f"{self.name} has no registry")
        location = repositories.GCR_LOCATIONS.get(name, settings.location)
        return f"{self.project}/locations/{location}/repositories/{name}"


def of(places: Mapping[str, Place], plans: Iterable[Plan]) -> list[Duty]:
    """The whole table, for some environments and what bootstrap makes for them.

    The admin project's number stands in GitHub's identities; `planned.model` without it takes its id, and so does this.
    """
    found: list[Duty] = []
    for place in places.values():
        upstream = places.get(place.config.upstream or "")
        found += [*_nodes(place, upstream), *_people(place), *_services(place), *_agents(place)]
        if upstream is not None:
            found += _deployers(place, upstream)
        if place.config.jenkins is not None:
            found += _jenkins(place)
    return [*found, *(duty for plan in plans for duty in _ci(plan))]


def _duty(identity: str, does: str, called: Iterable[str], resource: str) -> Duty:
    return Duty(identity, does, calls.permissions(called), resource)


def _nodes(place: Place, upstream: Place | None) -> Iterator[Duty]:
    yield _duty(place.nodes, "write logs and metrics", REPORT_NODE, place.project)
    home = upstream or place
    if home.config.registry is None:
        return
    pulled = {*access.PULLED_REPOSITORIES}
    if place is home or place.config.popups is not None:
        pulled.add(access.CANDIDATES)
    if place is home and home.config.registry.gcr_host is not None:
        pulled.add(home.config.registry.gcr_host)
    for name in sorted(pulled):
        yield _duty(place.nodes, "pull images", PULL, home.repository(name))
    if place.config.cluster.image_streaming:
        for one in (place, home):
            yield _duty(place.nodes, "stream images", USE_SERVICE, one.project)


def _people(place: Place) -> Iterator[Duty]:
    for group in sorted(place.config.groups()):
        yield _duty(f"group:{group}", "reach the cluster", FIND_CLUSTER, place.project)


def _services(place: Place) -> Iterator[Duty]:
    """Secrets and databases of services, as the account that their pods are to Google."""
    project = place.config.project.id
    for namespace, tenant in place.config.tenants.items():
        logins = place.config.logins(namespace)
        for account in tenant.accounts:
            user = logins[account][1] if account in logins else None
            email = f"{user}-sql@{project}.iam.gserviceaccount.com" if user else None
            pod = PodAccount(project, namespace, account, email)
            if email is not None:
                yield _duty(pod.principal, f"act as {email}", GET_TOKEN, f"{place.project}/serviceAccounts/{email}")
                yield _duty(pod.identity, "log in to Cloud SQL", LOG_IN, place.project)
            for key, secret in tenant.secrets.items():
                if account in secret.readers:
                    yield _duty(
                        pod.identity, "read a secret", READ_SECRET, f"{place.project}/secrets/{namespace}-{key}"
                    )


def _agents(place: Place) -> Iterator[Duty]:
    """Google's own accounts: keys, and reminders of secrets."""
    for purpose, service in encryption.AGENTS.items():
        for key, name in place.keys.items():
            if key.startswith(f"{purpose}-"):
                yield _duty(place.agents[service], "encrypt and decrypt", USE_KEY, name)
    for namespace, tenant in place.config.tenants.items():
        if any(secret.rotation for secret in tenant.secrets.values()):
            topic = f"{place.project}/topics/{namespace}-secrets"
            yield _duty(place.agents[AGENT], "remind of a rotation", PUBLISH, topic)


def _deployers(place: Place, upstream: Place) -> Iterator[Duty]:
    """The accounts that ci's pods act as in this environment."""
    wanted = {"deployer": (names.deploy_cloud(place.name), access.CHARTS)}
    if place.config.popups is not None:
        wanted["popups"] = (names.popup_cloud(place.name), access.CANDIDATES)
    for role, (cloud, charts) in wanted.items():
        account = place.account(f"platform-{role}")
        email = account.removeprefix("serviceAccount:")
        pod = PodAccount(upstream.config.project.id, names.target_namespace(cloud), names.DEPLOY_ACCOUNT, email)
        yield _duty(pod.principal, f"act as {email}", GET_TOKEN, f"{place.project}/serviceAccounts/{email}")
        yield _duty(account, "reach the cluster", FIND_CLUSTER, place.project)
        yield _duty(account, "pull charts", PULL, upstream.repository(charts))


def _jenkins(place: Place) -> Iterator[Duty]:
    """Builds push, and pull base images; the controller mounts its secrets; tests call no API of Google."""
    project, settings = place.config.project.id, place.config.jenkins
    for secret in () if settings is None else jenkins_secrets.expected(settings):
        for reader in secret.accounts:
            pod = PodAccount(project, secret.namespace, reader)
            yield _duty(pod.identity, "mount a secret", READ_SECRET, f"{place.project}/secrets/{secret.name}")
    builder = PodAccount(project, names.AGENTS_NAMESPACE, names.AGENT_ACCOUNT).identity
    for name in ("candidates", "services", "charts", "cache"):
        yield _duty(builder, "push images and charts", PUSH, place.repository(name))
    yield _duty(builder, "pull base images", PULL, place.repository("docker-hub"))


def _ci(plan: Plan) -> Iterator[Duty]:
    """The identities of GitHub's workflows: previews, drift, updates."""
    preview, drift = plan.member(plan.preview_account), plan.member(plan.drift_account)
    deploy = plan.member(plan.deploy_account)
    keys = [plan.key, *([plan.key_of(plan.config.upstream)] if plan.config.upstream else [])]
    bucket = f"buckets/{plan.platform.bucket}"
    for who in (plan.member(short) for short in plan.accounts):
        yield _duty(who, "read the state of stacks", READ_STATE, f"{bucket}/objects/.pulumi/stacks")
        for key in keys:
            yield _duty(who, "decrypt the secrets of stacks", DECRYPT, key)
    for short in plan.accounts:
        email = plan.email(short)
        account = f"projects/{plan.admin}/serviceAccounts/{email}"
        for grant in (grant for grants in federated(plan, short).values() for grant in grants):
            workflow = grant.member.replace("{number}", plan.admin)
            yield _duty(workflow, f"act as {email}", GET_TOKEN, account)
    for who in (deploy, *([plan.member(REAP_ACCOUNT)] if plan.ephemeral else [])):
        for start in plan.own_prefixes:
            yield _duty(who, "write the state of its stack", WRITE_STATE, f"{bucket}/objects/{start}x")
    if plan.ephemeral:
        create = plan.config.project.create
        if create is not None:
            folder = f"folders/{create.folder_id}"
            yield _duty(deploy, "create the project", CREATE_PROJECT, folder)
            yield _duty(preview, "reach the clusters of ephemeral environments", (*FIND_CLUSTER, *USE_SERVICE), folder)
            yield Duty(drift, "read what stacks consist of", _CONFIGURATION, folder)
            yield from _reap(plan, folder)
            yield _duty(deploy, "pay for the project", PAY, f"billingAccounts/{create.billing_account}")
    else:
        yield from _ci_in_project(plan, (preview, drift), deploy)
    if plan.upstream_project:
        yield from _ci_upstream(plan, (preview, drift), deploy)


def _reap(plan: Plan, folder: str) -> Iterator[Duty]:
    """The end of an ephemeral environment: a destroy with refresh, and then its project."""
    reap = plan.member(REAP_ACCOUNT)
    outside = calls.reads((*calls.TYPES, *calls.KINDS)) | calls.writes(calls.TYPES)
    permissions = outside | _INSIDE | calls.permissions((*USE_SERVICE, *DELETE_PROJECT))
    yield Duty(reap, "destroy ephemeral environments", permissions, folder)
    if plan.upstream_project:
        wanted = calls.reads([_GRANTS]) | calls.writes([_GRANTS]) | calls.permissions(USE_SERVICE)
        yield Duty(reap, "take grants on repositories back", wanted, f"projects/{plan.upstream_project}")


def _ci_in_project(plan: Plan, readers: tuple[str, ...], deploy: str) -> Iterator[Duty]:
    project = f"projects/{plan.config.project.id}"
    for who in readers:
        yield Duty(who, "read what stacks consist of", _CONFIGURATION, project)
    if plan.config.jenkins is not None:
        yield Duty(readers[1], "refresh Helm releases", calls.reads(_RELEASES), project)
    yield Duty(deploy, "update the stack", calls.writes(calls.TYPES) | calls.permissions(USE_SERVICE), project)
    yield Duty(deploy, "update what is in the cluster", _INSIDE, project)


def _ci_upstream(plan: Plan, readers: tuple[str, ...], deploy: str) -> Iterator[Duty]:
    project = f"projects/{plan.upstream_project}"
    for who in readers:
        yield Duty(who, "read grants on repositories", calls.reads([_GRANTS]) | calls.permissions(USE_SERVICE), project)
    wanted = calls.reads([_GRANTS]) | calls.writes([_GRANTS]) | calls.permissions(USE_SERVICE)
    yield Duty(deploy, "grant on repositories", wanted, project)
    if plan.config.cluster.image_streaming:
        member = ["gcp:projects/iAMMember:IAMMember"]
        for who in readers:
            yield Duty(who, "read the grant of image streaming", calls.reads(member), project)
        wanted = calls.reads(member) | calls.writes(member)
        yield Duty(deploy, "grant image streaming", wanted, project, frozenset({STREAMING_ROLE}))
