"""A platform on which GitHub Actions deploys instead of Jenkins."""

from __future__ import annotations

import json
from typing import Any

from infra.config import parse, read_all
from infra.stack import StackConfig

POOL = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github"
EXTERNAL_CI: dict[str, Any] = {
    "builders": {"orders": f"{POOL}/attribute.repository/acme/orders"},
    "deploys": {
        "staging": {
            "releases": f"{POOL}/attribute.environment/staging",
            "preview_namespaces": f"{POOL}/attribute.environment/pr",
        },
        "production": {"releases": f"{POOL}/attribute.environment/production"},
    },
}
WITHOUT_JENKINS: dict[str, Any] = {"jenkins": None, "external_ci": EXTERNAL_CI}


def environments(ci: dict[str, Any]) -> dict[str, StackConfig]:
    """The environments of this repository with parts of ci replaced."""
    configs = read_all()
    document = configs["ci"].model_dump(mode="json", exclude_unset=True) | ci
    return {**configs, "ci": parse("ci", json.dumps(document))}
