"""What the pods of the platform need and people create without Pulumi: the list of it, with who creates it and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from atwork.sandbox.verify.model import PodFinding


@dataclass(frozen=True)
class Prerequisite:
    """Something that people create without Pulumi; `*` in a name matches any text."""

    what: str
    """Secret NAMESPACE/NAME in a cluster, or a resource of Google Cloud."""
    maker: str
    how: str


PREREQUISITES = (
    Prerequisite("secret projects/*/secrets/jenkins-*", "platform team", "atwork environment bootstrap"),
    Prerequisite("account platform-previews@*", "platform team", "docs/previews.md, the platform's own Jenkins"),
    Prerequisite("account platform-drift@*", "platform team", "docs/previews.md, the platform's own Jenkins"),
    Prerequisite("account deploy-*", "platform team", "atwork environment bootstrap"),
    Prerequisite("account platform-ephemeral@*", "platform team", "docs/previews.md, the platform's own Jenkins"),
    Prerequisite("version of projects/*/secrets/*", "owner of the secret", "docs/secrets.md"),
)


def marked(finding: PodFinding, subject: str) -> PodFinding:
    """The finding, as a prerequisite if its missing subject is on the list."""
    for entry in PREREQUISITES:
        if fnmatchcase(subject, entry.what):
            return replace(finding, prerequisite=True, fix=f"made by the {entry.maker} ({entry.how})")
    return finding
