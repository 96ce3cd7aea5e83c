"""Names that several parts of Jenkins, IAM and people type."""

from __future__ import annotations

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
"""Group of whoever logs in with the admin secret while the login provider is down."""


def deploy_namespace(environment: str) -> str:
    """The namespace of the pods that deploy to an environment."""
    return f"jenkins-deploy-{environment}"


def deploy_cloud(environment: str) -> str:
    """The Jenkins cloud, pod template, label and credential of those pods."""
    return f"deploy-{environment}"


def scheduler_account(environment: str) -> str:
    """The account, and the Secret with its token, by which Jenkins starts those pods and does nothing else."""
    return f"jenkins-deploy-{environment}"
