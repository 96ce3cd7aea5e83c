"""Who read what: data access audit logs, which Google writes for no service by itself (CIS GCP 2.1).

Owns: the audit configuration of the named services in the project. Does not own: how long logs are kept.

Traps: the configuration of a service is authoritative: settings by hand of the same service are removed. Admin
activity is always logged and free; these logs are paid for by volume, so the services are those that hold secrets and
data.
"""

from __future__ import annotations

from typing import Annotated

import pulumi
import pulumi_gcp as gcp

from components.forms import TextForm
from components.settings import Settings

LOG_TYPES = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")


AuditedService = Annotated[
    str, TextForm(r"^[a-z][a-z0-9-]*\.googleapis\.com$", "the name of a Google API", "iam.googleapis.com")
]
"""The name that audit logs have for a service."""


class AuditLogSettings(Settings):
    """Services whose every access is logged."""

    services: tuple[AuditedService, ...] = (
        "cloudkms.googleapis.com",
        "cloudsql.googleapis.com",
        "container.googleapis.com",
        "iam.googleapis.com",
        "secretmanager.googleapis.com",
        "sts.googleapis.com",
    )
    """By the names that audit logs have for them; Cloud SQL is cloudsql here, not sqladmin."""


class AuditLogs(pulumi.ComponentResource):
    """Data access logs of the services that hold data and identities."""

    services: tuple[str, ...]

    def __init__(
        self,
        name: str,
        settings: AuditLogSettings,
        *,
        project_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:audit_logs:AuditLogs", name, {}, opts)
        for service in settings.services:
            gcp.projects.IAMAuditConfig(
                f"{name}-{service.removesuffix('.googleapis.com')}",
                project=project_id,
                service=service,
                audit_log_configs=[{"log_type": log_type} for log_type in LOG_TYPES],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.services = settings.services
        self.register_outputs({"services": self.services})
