"""Custom roles of CI's identities, where Google's own roles are too wide, and the roles of each identity.

The permissions are those of the calls that its commands make (atwork/permissions/calls.py), so that they grow with the
program: a bootstrap after an upgrade updates them. docs/adr/0012-access.md has the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import GoogleError, explain_errors
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step
from atwork.permissions import calls

IAM = "https://iam.googleapis.com/v1"
_HELD_IN_SECRETS = ("kubernetes:core/v1:Secret", "kubernetes:helm.sh/v3:Release")
_SECRETS = ("gcp:secretmanager/secret:Secret", "gcp:secretmanager/secretIamMember:SecretIamMember")
_USE = "serviceusage.services.use"
"""Calls are counted in the project that they are about (`user_project_override`)."""


@dataclass(frozen=True)
class CustomRole:
    """A role that bootstrap creates in a project."""

    role_id: str
    title: str
    description: str
    permissions: frozenset[str]

    def name(self, project: str) -> str:
        """Resource name of the role, for bindings."""
        return f"projects/{project}/roles/{self.role_id}"


READER = CustomRole(
    "atworkReader",
    "Read the platform's resources",
    "Every resource that the platform's stacks consist of, and no Kubernetes Secret or other data",
    calls.reads(token for token in (*calls.TYPES, *calls.KINDS) if token not in _HELD_IN_SECRETS) | {_USE},
)
"""Previews and drift. It excludes Kubernetes Secrets, because a preview runs the code of a pull request."""

RELEASE_READER = CustomRole(
    "atworkReleaseReader",
    "Read Helm releases",
    "Kubernetes Secrets, in which Helm keeps its releases",
    calls.reads(_HELD_IN_SECRETS) - set(calls.REACH),
)
"""Drift, only from main, if a stack has a Helm release: a refresh reads it."""

SECRET_ADMIN = CustomRole(
    "atworkSecretAdmin",
    "Create secrets without reading them",
    "Containers of secrets and who may read them; no values",
    calls.reads(_SECRETS) | calls.writes(_SECRETS),
)
"""Updates. Google's roles/secretmanager.admin reads and adds values, too."""

_GRANTS = ("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",)
_STREAMING = ("gcp:projects/iAMMember:IAMMember",)

GRANT_READER = CustomRole(
    "atworkGrantReader",
    "Read access to repositories",
    "The policies of repositories and of their project, for the environments that pull from them",
    calls.reads((*_GRANTS, *_STREAMING)) | {_USE},
)
"""Previews and drift of the environments that pull, in the project of the registry."""

REGISTRY_GRANTER = CustomRole(
    "atworkRegistryGranter",
    "Grant access to repositories",
    "The policies of repositories, for the environments that pull from them; no images",
    calls.reads(_GRANTS) | calls.writes(_GRANTS) | {_USE},
)
"""Updates of the environments that pull, in the project of the registry."""

SIGNING_ADMIN = CustomRole(
    "atworkSigningAdmin",
    "Create notes and attestors",
    "Notes of attestations with their policies, and attestors; no attestations",
    calls.reads(calls.SIGNING) | calls.writes(calls.SIGNING),
)
"""Updates. Google's role that sets policies of notes also changes and deletes attestations and vulnerabilities."""

CERTIFICATE_ADMIN = CustomRole(
    "atworkCertificateAdmin",
    "Create certificates",
    "Certificates that Google issues, their authorizations and maps",
    calls.reads(calls.CERTIFICATES) | calls.writes(calls.CERTIFICATES),
)
"""Updates of environments with a gateway. Google's role that deletes certificates also administers private CAs."""

BUDGET_ADMIN = CustomRole(
    "atworkBudgetAdmin",
    "Create budgets of the project",
    "Budgets of this project alone; no costs and no other right on the billing account",
    calls.reads(calls.BUDGETS) | calls.writes(calls.BUDGETS),
)
"""Updates. Google's roles for budgets are for all of a billing account."""

_NOTE_GRANTS = ("gcp:containeranalysis/noteIamMember:NoteIamMember",)

NOTE_READER = CustomRole(
    "atworkNoteReader",
    "Read access to notes",
    "The policies of notes, for the environments that require attestations",
    calls.reads(_NOTE_GRANTS),
)
"""Previews and drift of the environments that require attestations, in the project that signs."""

NOTE_GRANTER = CustomRole(
    "atworkNoteGranter",
    "Grant access to notes",
    "The policies of notes, for the environments that require attestations; no key",
    calls.reads(_NOTE_GRANTS) | calls.writes(_NOTE_GRANTS),
)
"""Updates of the environments that require attestations, in the project that signs."""

DEPLOYER = (
    "roles/artifactregistry.admin",
    "roles/binaryauthorization.policyEditor",
    "roles/cloudkms.admin",
    "roles/cloudsql.admin",
    "roles/compute.networkAdmin",
    "roles/compute.securityAdmin",
    "roles/container.admin",
    "roles/dns.admin",
    "roles/gkebackup.admin",
    "roles/iam.roleAdmin",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.serviceAccountUser",
    "roles/logging.configWriter",
    "roles/memorystore.admin",
    "roles/monitoring.editor",
    "roles/pubsub.admin",
    "roles/resourcemanager.projectIamAdmin",
    "roles/serviceusage.serviceUsageAdmin",
)
"""Updates, in the project of their environment. Google updates these roles with its services; a fixed list of
permissions would fail as soon as a new version of an API needs another one."""

REAPER = (*DEPLOYER, "roles/resourcemanager.projectDeleter", "roles/secretmanager.admin")
"""Roles on the folder of ephemeral environments to destroy them: those of updates, of secrets and of the project."""


def step(project: str, roles: tuple[CustomRole, ...]) -> Step:
    """Create custom roles of a project, correct them, or undelete them: a deleted role keeps its name for a week."""

    def ensure(context: Context) -> str:
        with explain_errors(f"create the roles of CI in {project}", f"ask for roles/iam.roleAdmin on {project}"):
            done = [outcome for role in roles if (outcome := _ensure(context.google, project, role)) != UNCHANGED]
        return ", ".join(done) or UNCHANGED

    commands = tuple(
        f"gcloud iam roles create {role.role_id} --project={project} --title='{role.title}' "
        f"--description='{role.description}' --stage=GA --permissions={','.join(sorted(role.permissions))}"
        for role in roles
    )
    return Step(f"roles-{project}", f"custom roles of CI in {project}", commands, ensure)


def _ensure(google: Google, project: str, role: CustomRole) -> str:
    from google.api_core.exceptions import NotFound

    url, about = f"{IAM}/{role.name(project)}", _body(role)
    try:
        there = google.call("GET", url)
    except NotFound:
        google.call("POST", f"{IAM}/projects/{project}/roles", body={"roleId": role.role_id, "role": about})
        return f"created {role.role_id}"
    outcome = []
    if there.get("deleted"):
        google.call("POST", f"{url}:undelete", body={})
        outcome.append(f"undeleted {role.role_id}")
    if there.get("stage") == "DISABLED":
        raise GoogleError(f"{role.name(project)} is disabled; enable it in the console, if that is safe")
    if frozenset(there.get("includedPermissions", [])) != role.permissions:
        google.call("PATCH", url, params={"updateMask": "includedPermissions"}, body=about)
        outcome.append(f"corrected {role.role_id}")
    return ", ".join(outcome) or UNCHANGED


def _body(role: CustomRole) -> dict[str, Any]:
    return {
        "title": role.title,
        "description": role.description,
        "stage": "GA",
        "includedPermissions": sorted(role.permissions),
    }
