"""What the platform's pods need and people make beside Pulumi: the one list, with who makes each and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from atwork.sandbox.verify.model import Finding


@dataclass(frozen=True)
class Prerequisite:
    """One kind of thing that is made beside Pulumi; `*` in a name stands for anything."""

    what: str
    """Secret NAMESPACE/NAME in a cluster, or a resource of Google Cloud."""
    maker: str
    how: str


PREREQUISITES = (
    Prerequisite("secret projects/*/secrets/jenkins-*", "platform team", "atwork environment bootstrap"),
    Prerequisite("account platform-previews@*", "platform team", "docs/previews.md, the platform's own Jenkins"),
    Prerequisite("account platform-drift@*", "platform team", "docs/previews.md, the platform's own Jenkins"),
    Prerequisite("account platform-changes@*", "platform team", "docs/previews.md, the platform's own Jenkins"),
    Prerequisite("version of projects/*/secrets/*", "owner of the secret", "docs/secrets.md"),
)  # fmt: skip


def marked(finding: Finding, subject: str) -> Finding:
    """The finding as a prerequisite where what it misses is on the list."""
    for one in PREREQUISITES:
        if fnmatchcase(subject, one.what):
            return replace(finding, prerequisite=True, fix=f"made by the {one.maker} ({one.how})")
    return finding
