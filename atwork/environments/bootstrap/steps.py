"""All steps of a bootstrap, in the order of their dependencies."""

from __future__ import annotations

from pathlib import Path

from atwork.environments.bootstrap import identities, keys, projects, roles, secrets, shared_network, stack, state
from atwork.environments.bootstrap.identities import federated
from atwork.environments.bootstrap.plan import REAP_ACCOUNT, BootstrapPlan
from atwork.environments.bootstrap.policies import Grant, Resource
from atwork.environments.bootstrap.rights import grants
from atwork.environments.bootstrap.roles import CustomRole
from atwork.environments.bootstrap.step import Step
from components.node_account import STREAMING_ROLE

ADMIN_SERVICES = (
    "cloudbilling.googleapis.com",
    "cloudidentity.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "orgpolicy.googleapis.com",
    "serviceusage.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
)
"""APIs that bootstrap, the backend and the logins of CI call. The program's calls count in its own project, but for
Cloud SQL, whose resource ignores the provider's user_project_override (terraform-provider-google#21869)."""

LEAST_SERVICES = ("cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com")
"""APIs that the program needs in its project to enable all others."""

_FOLDER_PREVIEW = ("roles/container.clusterViewer", "roles/serviceusage.serviceUsageConsumer")
_FOLDER_DRIFT = ("roles/viewer", "roles/iam.securityReviewer", "roles/serviceusage.serviceUsageConsumer")
"""In the folder of ephemeral environments, whose projects do not exist yet: a project's custom role cannot be bound on
a folder. Previews run the code of pull requests and only get access to clusters; drift, only from main, reads."""

_STREAMING_ALONE = (
    "grants image streaming alone",
    f"api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['{STREAMING_ROLE}'])",
)
_DECRYPT = "roles/cloudkms.cryptoKeyDecrypter"


def all_of(
    plan: BootstrapPlan, file: Path, engine: Path, values: secrets.SecretSource = secrets.no_values
) -> tuple[Step, ...]:
    """Return every step for one environment; `file` is its stack file, `values` has the first values of secrets."""
    accounts = {
        plan.preview_account: f"Previews changes of {plan.name}",
        plan.drift_account: f"Looks for drift in {plan.name} from main",
        plan.deploy_account: f"Updates {plan.name} from main",
    }
    if plan.ephemeral:
        accounts[REAP_ACCOUNT] = "Destroys ephemeral environments from main"
    return (
        *_admin(plan),
        state.bucket(plan),
        keys.ring(plan),
        keys.key(plan),
        identities.pool(plan),
        identities.provider(plan),
        *(identities.account(plan, short, title) for short, title in accounts.items()),
        *(identities.federation(plan, short) for short in accounts),
        *_project(plan, file),
        *secrets.steps(plan, values),
        *(roles.step(project, wanted) for project, wanted in custom_roles(plan).items()),
        grants("rights", _rights_title(plan), plan.admin, rights(plan)),
        grants("state-rights", f"rights on the state of {plan.name}", plan.admin, state_rights(plan)),
        stack.init(plan, file, engine),
        *shared_network.steps(plan),
    )


def _admin(plan: BootstrapPlan) -> tuple[Step, ...]:
    platform = plan.platform
    return (
        projects.create("admin-project", plan.admin, "Platform admin", platform.parent),
        projects.link_billing("admin-billing", plan.admin, platform.billing_account),
        projects.enable("admin-services", plan.admin, ADMIN_SERVICES),
    )


def _project(plan: BootstrapPlan, file: Path) -> tuple[Step, ...]:
    """Steps for the project of a long-lived environment; an ephemeral environment's stack creates its own."""
    if plan.ephemeral:
        return ()
    project = plan.config.project
    if project.create is None:
        assert project.number is not None  # noqa: S101 (one of the two is set)
        return (
            projects.check("project", project.id, project.number, f"stacks/{file.name}"),
            projects.link_billing("billing", project.id, None),
            projects.enable("services", project.id, LEAST_SERVICES),
        )
    create = project.create
    return (
        projects.create("project", project.id, create.name, f"folders/{create.folder_id}"),
        projects.link_billing("billing", project.id, create.billing_account),
        projects.enable("services", project.id, LEAST_SERVICES),
        stack.write_number(plan, file),
    )


def granted(plan: BootstrapPlan) -> dict[Resource, list[Grant]]:
    """Every binding that the bootstrap of an environment adds, by resource.

    Members with the number of a project that does not exist yet have its id instead.
    """
    bindings: dict[Resource, list[Grant]] = {}
    federations = (federated(plan, short) for short in plan.accounts)
    project = plan.config.project
    network = shared_network.rights(plan, project.number or project.id)
    for part in (rights(plan), state_rights(plan), *federations, network):
        for resource, wanted in part.items():
            bindings.setdefault(resource, []).extend(wanted)
    return bindings


def _rights_title(plan: BootstrapPlan) -> str:
    create = plan.config.project.create
    return (
        f"rights in folder {create.folder_id}" if plan.ephemeral and create else f"rights in {plan.config.project.id}"
    )


def custom_roles(plan: BootstrapPlan) -> dict[str, tuple[CustomRole, ...]]:
    """The roles that bootstrap creates, by project."""
    created: dict[str, tuple[CustomRole, ...]] = {}
    if plan.upstream_project:
        notes = (roles.NOTE_READER, roles.NOTE_GRANTER) if plan.config.attested else ()
        created[plan.upstream_project] = (roles.GRANT_READER, roles.REGISTRY_GRANTER, *notes)
    if not plan.ephemeral:
        releases = (roles.RELEASE_READER,) if plan.config.jenkins is not None else ()
        created[plan.config.project.id] = (roles.READER, *releases, *_admins(plan))
    return created


def rights(plan: BootstrapPlan) -> dict[Resource, list[Grant]]:
    """Bindings in the project, or in the folder of ephemeral environments, whose projects do not exist yet."""
    preview, drift = plan.member(plan.preview_account), plan.member(plan.drift_account)
    deploy = plan.member(plan.deploy_account)
    create = plan.config.project.create
    above = _above(plan, (preview, drift), deploy)
    if plan.ephemeral and plan.upstream_project:
        granter = Grant(roles.REGISTRY_GRANTER.name(plan.upstream_project), plan.member(REAP_ACCOUNT))
        above[Resource.project(plan.upstream_project)].append(granter)
    if plan.ephemeral and create is not None:
        folder, billing = Resource.folder(create.folder_id), Resource.billing(create.billing_account)
        views = [Grant(role, preview) for role in _FOLDER_PREVIEW] + [Grant(role, drift) for role in _FOLDER_DRIFT]
        # The creator of a project becomes its owner; another identity deletes it.
        creator = Grant("roles/resourcemanager.projectCreator", deploy)
        ends = [Grant(role, plan.member(REAP_ACCOUNT)) for role in roles.REAPER]
        return {folder: [*views, creator, *ends], billing: [Grant("roles/billing.user", deploy)], **above}
    project = plan.config.project.id
    granted = [Grant(roles.READER.name(project), member) for member in (preview, drift)]
    if plan.config.jenkins is not None:
        granted.append(Grant(roles.RELEASE_READER.name(project), drift))
    own = (role.name(project) for role in _admins(plan))
    granted += [Grant(role, deploy) for role in (*roles.DEPLOYER, *own)]
    return {Resource.project(project): granted, **above}


def _admins(plan: BootstrapPlan) -> tuple[CustomRole, ...]:
    """The custom roles of updates in the project."""
    certificates = (roles.CERTIFICATE_ADMIN,) if plan.config.gateway is not None else ()
    return (roles.SECRET_ADMIN, roles.SIGNING_ADMIN, roles.BUDGET_ADMIN, *certificates)


def _above(plan: BootstrapPlan, readers: tuple[str, ...], deploy: str) -> dict[Resource, list[Grant]]:
    """Bindings in the project of the registry: updates set policies of its repositories, and a refresh reads them."""
    project = plan.upstream_project
    if not project:
        return {}
    granted = [Grant(roles.GRANT_READER.name(project), reader) for reader in readers]
    granted.append(Grant(roles.REGISTRY_GRANTER.name(project), deploy))
    if plan.config.attested:
        granted += [Grant(roles.NOTE_READER.name(project), reader) for reader in readers]
        granted.append(Grant(roles.NOTE_GRANTER.name(project), deploy))
    if plan.config.cluster.image_streaming:
        # Nodes need one role there, and they exist only after the first update, so the update grants it.
        granted.append(Grant("roles/resourcemanager.projectIamAdmin", deploy, _STREAMING_ALONE))
    return {Resource.project(project): granted}


def state_rights(plan: BootstrapPlan) -> dict[Resource, list[Grant]]:
    """Bindings on states: all identities read every state, because stacks read each other; each writes its own stack's,
    and decrypts that and the upstream's."""
    members = [plan.member(account) for account in plan.accounts]
    writers = [plan.member(account) for account in plan.accounts if account in (plan.deploy_account, REAP_ACCOUNT)]
    read = [Grant("roles/storage.objectViewer", member) for member in members]
    own = (f"state of {plan.name}", plan.own_objects)
    write = [Grant("roles/storage.objectUser", member, own) for member in writers]
    names = [plan.key, *([plan.key_of(plan.config.upstream)] if plan.config.upstream else [])]
    decrypt = [Grant(_DECRYPT, member) for member in members]
    return {Resource.state(plan.platform.bucket): [*read, *write], **{Resource.key(name): decrypt for name in names}}
