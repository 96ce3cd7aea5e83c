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
    return (_git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}") or "").strip()


def changed_files(base: str) -> list[str] | None:
    """Files that differ from where the working tree left `base`, relative to the checkout's root.

    A file that was moved has both of its names, and files that git does not know yet count. None where git cannot tell:
    without git, for an unknown commit, or in a clone without the history in between.
    """
    start = (_git("merge-base", base, "HEAD") or "").strip()
    changed = _git("diff", "--name-only", "--no-renames", "--relative", "-z", start) if start else None
    new = _git("ls-files", "--others", "--exclude-standard", "-z") if start else None
    if changed is None or new is None:
        return None
    return sorted({path for path in (changed + new).split("\0") if path})


def files_between(old: str, new: str) -> list[str] | None:
    """Files that differ between two commits, both names of a moved one; None for a commit that git does not know."""
    changed = _git("diff", "--name-only", "--no-renames", "--relative", "-z", old, new, "--")
    return None if changed is None else sorted({path for path in changed.split("\0") if path})


def commits_after(base: str) -> list[str]:
    """Commits of the main branch after `base` up to HEAD, the newest first, without those of merged branches.

    HEAD alone where git does not know `base`, or nothing came after it.
    """
    listed = _git("rev-list", "--first-parent", f"{base}..HEAD", "--") if base else None
    return (listed or "").split() or [commit("HEAD")]


def _git(*words: str) -> str | None:
    """What git prints; None where it fails or is missing."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, *words], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None
