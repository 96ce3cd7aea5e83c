"""How long logs are kept, and which are not kept at all.

Owns: the bucket of audit logs with the sink that fills it, exclusions of the sink `_Default`, and the retention of its
bucket where that is set. Does not own: the bucket `_Required`, where Google keeps admin activity for 400 days, which
nobody can change; which accesses are logged (components/audit_logs.py).

Traps:
- A bucket is never locked here: that cannot be undone.
- The bucket `_Default` exists in every project: it is adopted, and stays as it is when its setting is removed.
- A deleted bucket keeps its name for a week (https://cloud.google.com/logging/docs/buckets).
- Anybody can send any user agent: requests at the load balancer are never left out.
"""

from __future__ import annotations

from typing import Annotated

import pulumi
import pulumi_gcp as gcp
from pydantic import Field

from components.settings import Settings

DATA_ACCESS = 'log_id("cloudaudit.googleapis.com/data_access") OR log_id("cloudaudit.googleapis.com/policy")'
"""Audit logs that are not in `_Required`: who read what, and what policies refused."""

_PROBE = "kube-probe/|GoogleHC/"
PROBES = (
    'resource.type="k8s_container" AND severity<ERROR AND '
    f'(textPayload=~"{_PROBE}" OR jsonPayload.message=~"{_PROBE}" OR httpRequest.userAgent=~"{_PROBE}")'
)
"""Requests of the kubelet and of load balancers for the health of pods."""

Days = Annotated[int, Field(ge=1, le=3650)]


class LogStorageSettings(Settings):
    """How long logs are kept."""

    days: Days | None = None
    """Days in the bucket `_Default`; Google's own 30 where it was never set."""

    audit_days: Days | None = None
    """Days for logs of who read what, in a bucket of their own; as long as all others where it is not set. Admin
    activity is always kept for 400 days."""

    probes: bool = False
    """Whether requests of health checks are kept in logs of containers."""


class LogStorage(pulumi.ComponentResource):
    """Buckets, sinks and exclusions of logs."""

    audit_bucket: pulumi.Output[str] | None
    excluded: list[str]
    """What is left out of `_Default`."""

    def __init__(
        self,
        name: str,
        settings: LogStorageSettings,
        *,
        project: str,
        region: str,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:log_storage:LogStorage", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.excluded = []
        if settings.days is not None:
            gcp.logging.ProjectBucketConfig(
                f"{name}-default",
                project=project,
                location="global",
                bucket_id="_Default",
                retention_days=settings.days,
                opts=child,
            )
        if not settings.probes:
            self.excluded.append("probes")
            gcp.logging.ProjectExclusion(
                f"{name}-probes",
                name="atwork-probes",
                description="Requests of health checks",
                filter=PROBES,
                opts=child,
            )
        self.audit_bucket = None
        if settings.audit_days is not None:
            bucket = gcp.logging.ProjectBucketConfig(
                f"{name}-audit",
                project=project,
                location=region,
                bucket_id="audit",
                description="Who read what",
                retention_days=settings.audit_days,
                opts=pulumi.ResourceOptions(parent=self, protect=protect),
            )
            self.audit_bucket = bucket.id
            sink = gcp.logging.ProjectSink(
                f"{name}-audit-sink",
                name="audit",
                destination=bucket.id.apply(lambda path: f"logging.googleapis.com/{path}"),
                filter=DATA_ACCESS,
                unique_writer_identity=True,
                opts=child,
            )
            self.excluded.append("audit")
            # Nothing is paid for twice, and nothing is left out before the sink keeps it.
            gcp.logging.ProjectExclusion(
                f"{name}-audit-exclusion",
                name="atwork-audit",
                description="Kept in the bucket audit",
                filter=DATA_ACCESS,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[sink]),
            )
        self.register_outputs({"audit_bucket": self.audit_bucket, "excluded": self.excluded})
