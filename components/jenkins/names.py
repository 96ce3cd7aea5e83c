"""Names that several parts of Jenkins share, and that appear in IAM or in what people type."""

from __future__ import annotations

from components.delivery import deployer_key, preview_key

CONTROLLER_NAMESPACE = "jenkins"
CONTROLLER_ACCOUNT = "jenkins"
HOME_CLAIM = "jenkins-home"

AGENTS_NAMESPACE = "jenkins-agents"
AGENT_ACCOUNT = "jenkins-agent"

TESTS_NAMESPACE = "jenkins-tests"
TEST_ACCOUNT = "jenkins-test"

DEPLOY_ACCOUNT = "deployer"

CONTROLLER_PRIORITY = "jenkins-controller"
AGENT_PRIORITY = "jenkins-agents"

POOL_LABEL = "atwork.dev/pool"
"""Label, and taint, of the nodes of a pool."""

BREAK_GLASS_GROUP = "break-glass"
"""Group of people who log in with the admin password while the login provider is down."""

PROMOTE_CLOUD = "promote"
"""Cloud of the pods that release candidates: the only ones that write the repositories `services` and `charts`."""

PREVIEW_CLOUD = "platform-preview"
"""Cloud of the pods that preview stacks and may only read."""

DRIFT_CLOUD = "platform-drift"
"""Cloud of the pods that detect drift: they run the main branch and may read Helm releases, which are Secrets."""

EPHEMERAL = "ephemeral"
"""Stands for all ephemeral environments where each other environment has its own name."""

_CHANGE = "platform-change-"

PLATFORM_FOLDER = "platform"
"""Folder of the jobs of the platform for services."""

PREVIEWS_FOLDER = "platform-previews"
"""Folder of this repository's pull requests."""

CHANGES_FOLDER = "platform-changes"
"""Folder of this repository's main branch."""

PROMOTE_JOB = "promote"
"""Last part of the name of the job that releases the builds of a service's main branch."""

PREVIEW_JOB = "preview"
"""Last part of the name of the job that deploys a pull request's build."""

JANITOR_JOB = "preview-janitor"
"""The job that empties expired preview namespaces."""


CONFIG_LABEL = "jenkins-jenkins-config"
"""Label of the ConfigMaps whose files the chart's reloader loads as Configuration as Code.

The chart names it for the release: templates/_helpers.tpl, `jenkins.fullname`-jenkins-config.
"""


def change_cloud(environment: str) -> str:
    """The cloud of the pods that update the stacks of one environment, or of all ephemeral environments."""
    return f"{_CHANGE}{environment}"


def is_platform_cloud(cloud: str) -> bool:
    """Whether a cloud is for this repository's own pipeline."""
    return cloud in (PREVIEW_CLOUD, DRIFT_CLOUD) or cloud.startswith(_CHANGE)


def janitor_job(group: str) -> str:
    """The janitor of the services of a group whose jobs are defined by the group's own stack."""
    return f"{JANITOR_JOB}-{group}"


def deploy_cloud(environment: str) -> str:
    """The Jenkins cloud, pod template, label and credential of the pods that deploy to an environment."""
    return deployer_key(environment)


def preview_cloud(environment: str) -> str:
    """The same for the pods that deploy builds of pull requests to an environment."""
    return preview_key(environment)


def target_namespace(cloud: str) -> str:
    """The namespace of a cloud's pods."""
    return f"jenkins-{cloud}"


def scheduler_account(cloud: str) -> str:
    """The account with which Jenkins only starts the pods of a cloud."""
    return f"jenkins-{cloud}"


def scheduler_token(cloud: str) -> str:
    """The Secret with the token of this account."""
    return f"jenkins-{cloud}-scheduler"
