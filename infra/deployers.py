"""The Google accounts that deliver to an environment, which its own stack makes."""

from __future__ import annotations

DEPLOYER = "platform-deployer"
"""Account that deploys services."""

PREVIEW_DEPLOYER = "platform-preview-namespaces"
"""Account that deploys builds of pull requests to preview namespaces."""


def address(account_id: str, project_id: str) -> str:
    """The e-mail address of an account of a project."""
    return f"{account_id}@{project_id}.iam.gserviceaccount.com"
