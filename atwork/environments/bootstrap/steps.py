"""All steps of a bootstrap, in the order in which they need each other."""

from __future__ import annotations

from pathlib import Path

from atwork.environments.bootstrap import identities, keys, projects, secrets, stack, state
from atwork.environments.bootstrap.identities import federated
from atwork.environments.bootstrap.plan import Plan
from atwork.environments.bootstrap.rights import Grant, Resource, grants
from atwork.environments.bootstrap.step import Step
from components.cluster import STREAMING_ROLE

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
"""What bootstrap, the engine's backend and the logins of CI call. The program's calls count in its own project, but for
Cloud SQL, whose resource does not honour the provider's user_project_override (terraform-provider-google#21869)."""

LEAST_SERVICES = ("cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com")
"""What the program needs in its project to switch everything else on."""

_VIEW = ("roles/viewer", "roles/iam.securityReviewer", "roles/serviceusage.serviceUsageConsumer")
_STREAMING_ALONE = (
    "grants image streaming alone",
    f"api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['{STREAMING_ROLE}'])",
)
_DECRYPT = "roles/cloudkms.cryptoKeyDecrypter"


def all_of(plan: Plan, file: Path, engine: Path, values: secrets.Values = secrets.no_values) -> tuple[Step, ...]:
    """Every step for one environment; `file` is its stack file, `values` has the first values of its secrets."""
    accounts = {
        plan.preview_account: f"Previews changes of {plan.name}",
        plan.deploy_account: f"Updates {plan.name} from main",
    }
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
        grants("rights", _rights_title(plan), plan.admin, rights(plan)),
        grants("state-rights", f"rights on the state of {plan.name}", plan.admin, state_rights(plan)),
        stack.init(plan, file, engine),
    )


def _admin(plan: Plan) -> tuple[Step, ...]:
    platform = plan.platform
    return (
        projects.make("admin-project", plan.admin, "Platform admin", platform.parent),
        projects.pay("admin-billing", plan.admin, platform.billing_account),
        projects.enable("admin-services", plan.admin, ADMIN_SERVICES),
    )


def _project(plan: Plan, file: Path) -> tuple[Step, ...]:
    """A pop-up's stack makes its project; a long-lived environment's is there before its stack."""
    if plan.popup:
        return ()
    project = plan.config.project
    if project.create is None:
        assert project.number is not None  # noqa: S101 (one of the two is said)
        return (
            projects.adopt("project", project.id, project.number, f"stacks/{file.name}"),
            projects.pay("billing", project.id, None),
            projects.enable("services", project.id, LEAST_SERVICES),
        )
    create = project.create
    return (
        projects.make("project", project.id, create.name, f"folders/{create.folder_id}"),
        projects.pay("billing", project.id, create.billing_account),
        projects.enable("services", project.id, LEAST_SERVICES),
        stack.adopted(plan, file),
    )


def _members(plan: Plan) -> tuple[str, str]:
    preview, deploy = (f"serviceAccount:{plan.email(one)}" for one in (plan.preview_account, plan.deploy_account))
    return preview, deploy


def granted(plan: Plan) -> dict[Resource, list[Grant]]:
    """Every binding that the bootstrap of an environment makes, by resource."""
    found: dict[Resource, list[Grant]] = {}
    for part in (rights(plan), state_rights(plan), *(federated(plan, short) for short in plan.accounts)):
        for resource, wanted in part.items():
            found.setdefault(resource, []).extend(wanted)
    return found


def _rights_title(plan: Plan) -> str:
    create = plan.config.project.create
    return f"rights in folder {create.folder_id}" if plan.popup and create else f"rights in {plan.config.project.id}"


def rights(plan: Plan) -> dict[Resource, list[Grant]]:
    """In its project; of a pop-up, whose project is not there yet, in the folder of all pop-ups."""
    preview, deploy = _members(plan)
    create = plan.config.project.create
    views = [Grant(role, preview) for role in _VIEW]
    above: dict[Resource, list[Grant]] = {}
    if plan.upstream_project:
        # The program grants on the upstream's repositories; whoever may grant there may do all there.
        above[Resource.project(plan.upstream_project)] = [
            *(Grant(role, preview) for role in ("roles/artifactregistry.reader", *_VIEW[1:])),
            *(Grant(role, deploy) for role in ("roles/artifactregistry.admin", _VIEW[2])),
        ]
        if plan.config.cluster.image_streaming:
            # Nodes need one role there, and they exist only after the first update, so the update grants it.
            above[Resource.project(plan.upstream_project)].append(
                Grant("roles/resourcemanager.projectIamAdmin", deploy, _STREAMING_ALONE)
            )
    if plan.popup and create is not None:
        folder, billing = Resource.folder(create.folder_id), Resource.billing(create.billing_account)
        creator = Grant("roles/resourcemanager.projectCreator", deploy)
        return {folder: [*views, creator], billing: [Grant("roles/billing.user", deploy)], **above}
    return {Resource.project(plan.config.project.id): [*views, Grant("roles/owner", deploy)], **above}


def state_rights(plan: Plan) -> dict[Resource, list[Grant]]:
    """All may read every state, for stacks read each other. Each writes its own, and decrypts it and the upstream's."""
    preview, deploy = _members(plan)
    read = [Grant("roles/storage.objectViewer", member) for member in (preview, deploy)]
    write = Grant("roles/storage.objectUser", deploy, (f"state of {plan.name}", plan.own_objects))
    names = [plan.key, *([plan.key_of(plan.config.upstream)] if plan.config.upstream else [])]
    decrypt = [Grant(_DECRYPT, member) for member in (preview, deploy)]
    return {Resource.state(plan.platform.bucket): [*read, write], **{Resource.key(name): decrypt for name in names}}
