"""Which images may run in an environment's cluster: released images, and what is named in addition.

Owns: the project's one Binary Authorization policy (CIS GKE 5.10.4); while it blocks, the admission policy that no pod
asks to be left out; while attestations are only logged, the one that refuses other images.
Does not own: the attestor (components/attestor.py), the cluster's switch that makes it ask (components/cluster.py has
it always on), Google's own images, which the global policy answers for.

Traps: there is one policy for a project, and destroying ours puts the one that allows everything back. A policy has one
rule for a cluster, which either blocks or logs, and images of its patterns skip the rule: while attestations are only
logged, the API server refuses what the rule refused before (image_sources.py). A pattern's `*` stops at a slash, `**`
does not; without either, tag and digest are part of the name. A denied pod says so in its controller's events, not in
Pulumi.
https://cloud.google.com/binary-authorization/docs/reference/rest/Shared.Types/Policy#AdmissionWhitelistPattern
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.binaryauthorization import PolicyAdmissionWhitelistPatternArgs, PolicyDefaultAdmissionRuleArgs
from pydantic import Field, model_validator

from components import binary_authorization_bypass, image_sources
from components.admission_rules import enforce
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

    attestation: Literal["off", "log", "enforce"] = "off"
    """Whether released images also need an attestation of the promote job: `log` writes the pods that would be refused
    to the audit log and refuses none, `enforce` refuses them. Begin with `log`: releases that were promoted before
    `release_signing` have none (docs/security.md)."""

    also_allowed: dict[DnsLabel, ImagePattern] = Field(default_factory=dict)
    """Images beyond the released ones, by a name that says why. Name single images of the mirror of Docker Hub."""

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        if self.attestation == "enforce" and not self.enforced:
            raise ValueError("attestation: enforce needs enforced: true; remove enforced, or write attestation: log")
        return self


class BinaryAuthorization(pulumi.ComponentResource):
    """Everything is denied but the listed images and, with an attestor, what it attests.

    `released` and `exempt` are repositories. An attestor takes the place of the exemption of those of `released`.
    """

    patterns: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        settings: BinaryAuthorizationSettings,
        *,
        released: Sequence[pulumi.Input[str]],
        exempt: Sequence[pulumi.Input[str]] = (),
        images: pulumi.Input[Sequence[str]] = (),
        attestor: pulumi.Input[str] | None = None,
        cluster: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:binary_authorization:BinaryAuthorization", name, {}, opts)
        named = [*settings.also_allowed.values()]
        always = pulumi.Output.all(below=_below(exempt), named=images).apply(
            lambda given: [*given["below"], *given["named"], *named]
        )
        every = pulumi.Output.all(_below(released), always).apply(lambda parts: [*parts[0], *parts[1]])
        logs_only = not settings.enforced or (attestor is not None and settings.attestation == "log")
        self.patterns = every if attestor is None else always
        in_cluster = pulumi.ResourceOptions(parent=self, provider=cluster)
        first: list[pulumi.Resource] = []
        if attestor is not None and settings.attestation == "log" and settings.enforced:
            sources = every.apply(image_sources.policy_spec)
            first = enforce(f"{name}-sources", image_sources.POLICY, sources, in_cluster)
        elif not logs_only:
            enforce(f"{name}-bypass", binary_authorization_bypass.POLICY, binary_authorization_bypass.SPEC, in_cluster)
        gcp.binaryauthorization.Policy(
            f"{name}-policy",
            description="Released images, and no others except those that are listed",
            global_policy_evaluation_mode="ENABLE",
            admission_whitelist_patterns=self.patterns.apply(
                lambda patterns: [PolicyAdmissionWhitelistPatternArgs(name_pattern=pattern) for pattern in patterns]
            ),
            default_admission_rule=PolicyDefaultAdmissionRuleArgs(
                evaluation_mode="ALWAYS_DENY" if attestor is None else "REQUIRE_ATTESTATION",
                enforcement_mode="DRYRUN_AUDIT_LOG_ONLY" if logs_only else "ENFORCED_BLOCK_AND_AUDIT_LOG",
                require_attestations_bies=None if attestor is None else [attestor],
            ),
            # The rule only logs once the API server refuses the same images.
            opts=pulumi.ResourceOptions(parent=self, depends_on=first),
        )
        self.register_outputs({"patterns": self.patterns})


def _below(repositories: Sequence[pulumi.Input[str]]) -> pulumi.Output[list[str]]:
    """The patterns of all images in repositories."""
    return pulumi.Output.all(*(pulumi.Output.concat(repository, "/**") for repository in repositories))
