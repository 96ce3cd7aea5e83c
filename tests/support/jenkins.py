"""Settings of Jenkins for tests: the least that is required, and everything."""

from __future__ import annotations

import json
from typing import Any

from components.delivery import PlatformSource
from components.jenkins.job_documents import JobDefinitions
from components.jenkins.registry import Addresses
from components.jenkins.settings import JenkinsSettings
from infra.delivery.job_files import job_files

LEAST: dict[str, Any] = {
    "hostname": "jenkins.ci.example.com",
    "admins": ["platform@example.com"],
}

MOST: dict[str, Any] = {
    **LEAST,
    "slack": {"team": "acme", "channel": "#builds"},
    "gateway": {"name": "ci", "namespace": "gateway"},
    "controller": {"pool": "system"},
    "platform": {
        "bot": "acme-jenkins[bot]",
        "slack_webhook": "slack-webhook",
        "drift": {"account": "platform-drift@acme-ci.iam.gserviceaccount.com"},
        "changes": {
            "staging": {"account": "deploy-staging@acme-admin.iam.gserviceaccount.com"},
            "ephemeral": {},
        },
    },
    "deploys": {
        "staging": {"preview_namespaces": {"hours": 48}},
        "production": {
            "approvers": ["sam@example.com", "kim@example.com"],
            "account": "platform-deployer@acme-production.iam.gserviceaccount.com",
        },
    },
}

CLOUDS = [
    "deploy-staging",
    "deploy-production",
    "previews-staging",
    "promote",
    "platform-preview",
    "platform-drift",
    "platform-change-staging",
    "platform-change-ephemeral",
]
"""The restricted clouds of `MOST`."""

JOBS = JobDefinitions(job_files())
"""The files that define jobs, without jobs of services."""

SOURCE = PlatformSource("acme/platform", "gs://acme-pulumi")

ADDRESSES = Addresses.at(
    "europe",
    "acme-ci",
    {
        "candidates": "candidates",
        "services": "services",
        "charts": "charts",
        "cache": "cache",
        "docker_hub": "docker-hub",
    },
)


def settings(base: dict[str, Any] = LEAST, /, **changes: object) -> JenkinsSettings:
    """Parsed as a stack file is: from JSON, strictly."""
    return JenkinsSettings.model_validate_json(json.dumps({**base, **changes}))
