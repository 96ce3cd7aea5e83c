"""Which images may run in an environment's cluster: released images, and what is named in addition.

Owns: the project's one Binary Authorization policy (CIS GKE 5.10.4).
Does not own: the cluster's switch that makes it ask (components/cluster.py has it always on), Google's own images,
which the global policy answers for.

Traps: there is one policy for a project, and destroying ours puts the one that allows everything back. A pattern's
`*` stops at a slash, `**` does not; without either, tag and digest are part of the name. A denied pod says so in its
controller's events, not in Pulumi.
https://cloud.google.com/binary-authorization/docs/reference/rest/Shared.Types/Policy#AdmissionWhitelistPattern
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.binaryauthorization import PolicyAdmissionWhitelistPatternArgs
from pydantic import Field

from components.forms import TextForm
from components.settings import DnsLabel, Settings

SERVICES = ("binaryauthorization.googleapis.com",)
"""APIs that this component calls."""

ImagePattern = Annotated[
    str,
    TextForm(
        r"^[a-z0-9.-]+\.[a-z]+(/[a-z0-9._-]+)+"
        r"(/\*{1,2}|[:@]\*|(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?)$",
        "HOST/PATH with a tag, a digest, or /**, /*, :* or @* at the end",
        "gcr.io/project/team/image:1",
    ),
]
"""A registry host and a path, with a tag or a digest, such as gcr.io/project/team/image:1. At the end, `:*` and `@*`
stand for all tags and digests, `/*` and `/**` for all images below."""


class BinaryAuthorizationSettings(Settings):
    """The check of every pod's images as it is admitted."""

    enforced: bool = True
    """Whether other images are refused; otherwise they are only logged as what would have been."""

    also_allowed: dict[DnsLabel, ImagePattern] = Field(default_factory=dict)
    """Images beyond the released ones, by a name that says why. Name single images of the mirror of Docker Hub."""


class BinaryAuthorization(pulumi.ComponentResource):
    """Everything is denied but the listed images."""

    patterns: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        settings: BinaryAuthorizationSettings,
        *,
        repositories: Sequence[pulumi.Input[str]],
        images: pulumi.Input[Sequence[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:binary_authorization:BinaryAuthorization", name, {}, opts)
        below = pulumi.Output.all(*(pulumi.Output.concat(repository, "/**") for repository in repositories))
        self.patterns = pulumi.Output.all(below=below, named=images).apply(
            lambda given: [*given["below"], *given["named"], *settings.also_allowed.values()]
        )
        gcp.binaryauthorization.Policy(
            f"{name}-policy",
            description="Released images, and no others except those that are listed",
            global_policy_evaluation_mode="ENABLE",
            admission_whitelist_patterns=self.patterns.apply(
                lambda patterns: [PolicyAdmissionWhitelistPatternArgs(name_pattern=pattern) for pattern in patterns]
            ),
            default_admission_rule={
                "evaluation_mode": "ALWAYS_DENY",
                "enforcement_mode": "ENFORCED_BLOCK_AND_AUDIT_LOG" if settings.enforced else "DRYRUN_AUDIT_LOG_ONLY",
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"patterns": self.patterns})
