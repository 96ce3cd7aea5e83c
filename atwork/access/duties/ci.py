"""The duties of the identities of CI: previews, drift detection, updates, and deletion of ephemeral environments."""

from __future__ import annotations

from collections.abc import Iterator

from atwork.access.duties.methods import (
    CREATE_PROJECT,
    DECRYPT,
    DELETE_PROJECT,
    FIND_CLUSTER,
    GET_TOKEN,
    PAY,
    READ_STATE,
    USE_HOST_AGENT,
    USE_SERVICE,
    USE_SUBNETWORK,
    WRITE_STATE,
)
from atwork.access.duties.model import Duty, duty
from atwork.environments.bootstrap.identities import federated
from atwork.environments.bootstrap.plan import REAP_ACCOUNT, BootstrapPlan
from atwork.permissions import calls
from components.existing_network import CLUSTER_AGENT, MACHINE_AGENT
from components.node_account import STREAMING_ROLE

_RELEASES = ("kubernetes:core/v1:Secret", "kubernetes:helm.sh/v3:Release")
_READ_RESOURCES = calls.reads(
    [*calls.TYPES, *(kind for kind in calls.KINDS if kind not in _RELEASES)]
) | calls.permissions(USE_SERVICE)
_UPDATE_CLUSTER = frozenset(
    f"container.{kind}.{verb}" for kind in set(calls.KINDS.values()) for verb in ("create", "update", "delete")
) | {f"container.{kind}.{verb}" for kind in ("roles", "clusterRoles") for verb in ("bind", "escalate")}
_REPOSITORY_MEMBER = ["gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"]
_NOTE_MEMBER = ["gcp:containeranalysis/noteIamMember:NoteIamMember"]
_PROJECT_MEMBER = ["gcp:projects/iAMMember:IAMMember"]
_SET_REPOSITORY_MEMBERS = (
    calls.reads(_REPOSITORY_MEMBER) | calls.writes(_REPOSITORY_MEMBER) | calls.permissions(USE_SERVICE)
)


def duties(plan: BootstrapPlan) -> Iterator[Duty]:
    """All duties of the identities that bootstrap creates for one environment."""
    yield from _states(plan)
    yield from _tokens(plan)
    if plan.ephemeral:
        yield from _in_folder(plan)
    else:
        yield from _in_project(plan)
    if plan.upstream_project:
        yield from _in_upstream_project(plan)
    yield from _in_shared_network(plan)


def _states(plan: BootstrapPlan) -> Iterator[Duty]:
    """States and their secrets: every identity reads them, and those that update write them."""
    keys = [plan.key, *([plan.key_of(plan.config.upstream)] if plan.config.upstream else [])]
    objects = f"buckets/{plan.platform.bucket}/objects"
    for identity in (plan.member(account) for account in plan.accounts):
        yield duty(identity, "read the state of stacks", READ_STATE, f"{objects}/.pulumi/stacks")
        for key in keys:
            yield duty(identity, "decrypt the secrets of stacks", DECRYPT, key)
    for account in (plan.deploy_account, *([REAP_ACCOUNT] if plan.ephemeral else [])):
        for prefix in plan.own_prefixes:
            yield duty(plan.member(account), "write the state of its stack", WRITE_STATE, f"{objects}/{prefix}x")


def _tokens(plan: BootstrapPlan) -> Iterator[Duty]:
    """Workflows of GitHub act as the accounts."""
    for account in plan.accounts:
        email = plan.email(account)
        resource = f"projects/{plan.admin}/serviceAccounts/{email}"
        for grant in (grant for grants in federated(plan, account).values() for grant in grants):
            workflow = grant.member.replace("{number}", plan.admin)
            yield duty(workflow, f"act as {email}", GET_TOKEN, resource)


def _in_folder(plan: BootstrapPlan) -> Iterator[Duty]:
    """An ephemeral environment, whose project the stack creates in a folder."""
    create = plan.config.project.create
    if create is None:
        return
    deploy, folder = plan.member(plan.deploy_account), f"folders/{create.folder_id}"
    yield duty(deploy, "create the project", CREATE_PROJECT, folder)
    yield duty(deploy, "pay for the project", PAY, f"billingAccounts/{create.billing_account}")
    preview = plan.member(plan.preview_account)
    yield duty(preview, "reach the clusters of ephemeral environments", (*FIND_CLUSTER, *USE_SERVICE), folder)
    yield Duty(plan.member(plan.drift_account), "read the resources of stacks", _READ_RESOURCES, folder)
    reap = plan.member(REAP_ACCOUNT)
    types = [token for token in calls.TYPES if token not in (*calls.SIGNING, *calls.CERTIFICATES, *calls.BUDGETS)]
    destroy = calls.reads((*types, *calls.KINDS)) | calls.writes(types) | _UPDATE_CLUSTER
    destroy |= calls.permissions((*USE_SERVICE, *DELETE_PROJECT))
    yield Duty(reap, "destroy ephemeral environments", destroy, folder)
    if plan.upstream_project:
        project = f"projects/{plan.upstream_project}"
        yield Duty(reap, "remove grants on repositories", _SET_REPOSITORY_MEMBERS, project)


def _in_project(plan: BootstrapPlan) -> Iterator[Duty]:
    """A long-lived environment, whose project exists."""
    preview, drift, deploy = (
        plan.member(account) for account in (plan.preview_account, plan.drift_account, plan.deploy_account)
    )
    project = f"projects/{plan.config.project.id}"
    for identity in (preview, drift):
        yield Duty(identity, "read the resources of stacks", _READ_RESOURCES, project)
    if plan.config.jenkins is not None:
        yield Duty(drift, "refresh Helm releases", calls.reads(_RELEASES), project)
    types = [token for token in calls.TYPES if plan.config.gateway is not None or token not in calls.CERTIFICATES]
    yield Duty(deploy, "update the stack", calls.writes(types) | calls.permissions(USE_SERVICE), project)
    yield Duty(deploy, "update the objects in the cluster", _UPDATE_CLUSTER, project)


def _in_upstream_project(plan: BootstrapPlan) -> Iterator[Duty]:
    """Grants on what the environment uses of its upstream environment."""
    preview, drift, deploy = (
        plan.member(account) for account in (plan.preview_account, plan.drift_account, plan.deploy_account)
    )
    project = f"projects/{plan.upstream_project}"
    read = calls.reads(_REPOSITORY_MEMBER) | calls.permissions(USE_SERVICE)
    for identity in (preview, drift):
        yield Duty(identity, "read grants on repositories", read, project)
    yield Duty(deploy, "grant access to repositories", _SET_REPOSITORY_MEMBERS, project)
    if plan.config.attested:
        for identity in (preview, drift):
            yield Duty(identity, "read grants on notes", calls.reads(_NOTE_MEMBER), project)
        wanted = calls.reads(_NOTE_MEMBER) | calls.writes(_NOTE_MEMBER)
        yield Duty(deploy, "grant access to attestations", wanted, project)
    if plan.config.cluster.image_streaming:
        for identity in (preview, drift):
            yield Duty(identity, "read the grant for image streaming", calls.reads(_PROJECT_MEMBER), project)
        wanted = calls.reads(_PROJECT_MEMBER) | calls.writes(_PROJECT_MEMBER)
        yield Duty(deploy, "grant image streaming", wanted, project, frozenset({STREAMING_ROLE}))


def _in_shared_network(plan: BootstrapPlan) -> Iterator[Duty]:
    """The host project of a Shared VPC: agents of Google in the environment's project, and who creates the cluster."""
    existing, project = plan.config.network.existing, plan.config.project
    if existing is None or not plan.host_project:
        return
    subnet = existing.subnetwork_id(project.id, plan.config.region)
    cluster, machines = (
        f"serviceAccount:{agent.replace('{number}', project.number or project.id)}"
        for agent in (CLUSTER_AGENT, MACHINE_AGENT)
    )
    for identity in (cluster, machines, plan.member(plan.deploy_account)):
        yield duty(identity, "use the subnet", USE_SUBNETWORK, subnet)
    yield duty(cluster, "act in the host project", USE_HOST_AGENT, f"projects/{plan.host_project}")
