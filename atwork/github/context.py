"""What the shell around a command says: the repository, the run, the commit."""

from __future__ import annotations

import os
import shutil
import subprocess

from atwork.arguments import words
from atwork.engine import choice
from atwork.errors import UsageError
from atwork.github.client import GitHub


def hub() -> GitHub:
    """The repository that the shell names, with its token."""
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    return GitHub(needed("GITHUB_REPOSITORY"), needed("GITHUB_TOKEN"), api=api)


def run() -> str:
    """Address of the run that this is, where it is one."""
    if "GITHUB_RUN_ID" not in os.environ:
        return os.environ.get("BUILD_URL", "")
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    return f"{server}/{needed('GITHUB_REPOSITORY')}/actions/runs/{os.environ['GITHUB_RUN_ID']}"


def real() -> None:
    """Refuse the sandbox where the real stacks are meant: its report would look the same and mean nothing."""
    if not choice.is_remote():
        raise UsageError("PULUMI_BACKEND_URL is not set; name the backend of the real stacks, such as gs://BUCKET")


def needed(name: str) -> str:
    """A variable that must be there."""
    value = os.environ.get(name, "")
    if not value:
        raise UsageError(f"{name} is not set; the job that reports gives it")
    return value


def bot() -> str:
    """The login that owns the comment and the statuses."""
    return os.environ.get("ATWORK_BOT", "github-actions[bot]")


def approvers() -> tuple[str, ...]:
    """The logins that let dangers pass; none where maintainers do."""
    return words(os.environ.get("ATWORK_APPROVERS", ""))


def commit(name: str) -> str:
    """The commit that a name stands for; "" where there is none."""
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run(
        [git, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
