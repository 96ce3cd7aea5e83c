"""The Google Cloud project of an environment and the APIs that are switched on in it.

Owns: the project itself where the stack creates it, and the enabled services.
Does not own: folders, billing accounts, organization policies.

Traps: a project's number is needed before anything exists (workload identity principals carry it), and reading
it would need a data source: an adopted project therefore states its number. Removing a service from the list
never switches the API off, for something outside this stack may call it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Self

import pulumi
import pulumi_gcp as gcp
from pydantic import model_validator

from components.forms import TextForm
from components.settings import BillingAccount, ProjectId, Settings

PLATFORM_SERVICES = (
    "artifactregistry.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "dns.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "memorystore.googleapis.com",
    "monitoring.googleapis.com",
    "networkconnectivity.googleapis.com",
    "secretmanager.googleapis.com",
    "serviceconsumermanagement.googleapis.com",
    "servicenetworking.googleapis.com",
    "serviceusage.googleapis.com",
    "sqladmin.googleapis.com",
    "sts.googleapis.com",
)
"""What every environment of the platform calls."""

ServiceName = Annotated[
    str, TextForm(r"^[a-z][a-z0-9-]*\.googleapis\.com$", "the name of a Google API", "iam.googleapis.com")
]


class ProjectCreation(Settings):
    """Where a project that the stack creates hangs, and who pays for it."""

    name: Annotated[
        str,
        TextForm(
            r"^[A-Za-z][A-Za-z0-9 '!-]{2,28}[A-Za-z0-9!']$",
            "4 to 30 letters, digits, spaces, hyphens, apostrophes and exclamation marks, a letter first",
            "Staging",
        ),
    ]
    """Display name, 4 to 30 characters."""

    folder_id: Annotated[str, TextForm(r"^[0-9]+$", "the number of a folder without folders/", "123456789012")]
    """Number of the folder, without `folders/`."""

    billing_account: BillingAccount
    """Id of the billing account, such as 01AB23-CD45EF-678901."""


class ProjectSettings(Settings):
    """One environment, one project: it is adopted by its number, or created."""

    id: ProjectId
    """The project id; it belongs to one environment alone, because workload identity is shared project-wide."""

    number: Annotated[str, TextForm(r"^[0-9]{6,19}$", "the number of the project", "482015730914")] | None = None
    """The number of a project that exists already (`gcloud projects describe ID`)."""

    create: ProjectCreation | None = None
    """Present when the stack makes the project."""

    deletable: bool = False
    """Whether `pulumi destroy` may delete a project that the stack created (ephemeral environments: true)."""

    extra_services: tuple[ServiceName, ...] = ()
    """APIs beyond what the platform itself calls."""

    @model_validator(mode="after")
    def _adopted_or_created(self) -> Self:
        if (self.number is None) == (self.create is None):
            raise ValueError(
                f"say either number (project {self.id} exists already) or create (the stack makes it); "
                "write one, not both"
            )
        if self.deletable and self.create is None:
            raise ValueError("deletable needs create: a stack never deletes a project that it did not make; remove it")
        return self


class Project(pulumi.ComponentResource):
    """The project and its APIs; what follows is made through a provider that depends on this component."""

    id: pulumi.Output[str]
    number: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: ProjectSettings,
        *,
        services: Iterable[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:project:Project", name, {}, opts)
        self.id, self.number = (
            pulumi.Output.from_input(settings.id),
            pulumi.Output.from_input(settings.number or ""),
        )
        after: list[pulumi.Resource] = []
        if settings.create is not None:
            project = gcp.organizations.Project(
                f"{name}-project",
                project_id=settings.id,
                name=settings.create.name,
                folder_id=settings.create.folder_id,
                billing_account=settings.create.billing_account,
                auto_create_network=False,  # the default network is open to the internet (CIS GCP 3.1)
                deletion_policy="DELETE" if settings.deletable else "PREVENT",
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.id, self.number = project.project_id, project.number
            after = [project]

        for service in sorted({*PLATFORM_SERVICES, *services, *settings.extra_services}):
            gcp.projects.Service(
                f"{name}-service-{service.removesuffix('.googleapis.com')}",
                project=settings.id,
                service=service,
                disable_on_destroy=False,
                disable_dependent_services=False,
                opts=pulumi.ResourceOptions(parent=self, depends_on=after),
            )
        self.register_outputs({"id": self.id, "number": self.number})
