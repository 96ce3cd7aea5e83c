"""A branch, a commit of a few files and a pull request, without touching the working tree or the branch one is on.

The commit is made from the objects of git directly, on top of HEAD. Nothing is switched, so that nothing has to be
restored when a step fails; a branch whose pull request cannot be opened is taken away again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atwork.errors import UsageError, UserError
from atwork.github.client import GitHub
from atwork.github.errors import GitHubError

_REMOTE = "origin"


class GitError(UserError):
    """Git refused, or the checkout is not as it must be; the message names the fix."""


class AlreadyThere(GitError):
    """The branch is at the remote already."""


@dataclass(frozen=True)
class Repository:
    """A checkout from which a pull request can be opened; `prepared` makes one."""

    root: Path
    base: str
    hub: GitHub

    def offer(self, branch: str, title: str, body: str, texts: Mapping[Path, str | None]) -> str:
        """Open a pull request with these files, None for one that goes; returns its address."""
        self.check_free(branch)
        commit = self._commit(title, texts)
        # Only if the branch does not exist: somebody may have pushed it since.
        self._git(
            "push", "--quiet", f"--force-with-lease=refs/heads/{branch}:", _REMOTE, f"{commit}:refs/heads/{branch}"
        )
        try:
            return self.hub.open(branch, self.base, title, body)
        except GitHubError:
            self._git("push", "--quiet", _REMOTE, f":refs/heads/{branch}")
            raise

    def check_free(self, branch: str) -> None:
        """Raise `AlreadyThere` for a branch that is at the remote."""
        if self._git("ls-remote", "--heads", _REMOTE, f"refs/heads/{branch}"):
            raise AlreadyThere(
                f"the branch {branch} is at {_REMOTE} already: merge or close its pull request, then delete the branch "
                f"(git push {_REMOTE} :{branch})"
            )

    def _commit(self, message: str, texts: Mapping[Path, str | None]) -> str:
        with tempfile.TemporaryDirectory(prefix="atwork-index-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            self._git("read-tree", "HEAD", more=index)
            for path, text in texts.items():
                name = path.relative_to(self.root).as_posix()
                if text is None:
                    self._git("update-index", "--force-remove", name, more=index)
                else:
                    blob = self._git("hash-object", "-w", "--stdin", given=text)
                    self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", more=index)
            tree = self._git("write-tree", more=index)
        return self._git("commit-tree", tree, "-p", "HEAD", "-m", message)

    def _git(self, *words: str, given: str | None = None, more: Mapping[str, str] | None = None) -> str:
        return git(self.root, *words, given=given, more=more)


def prepared(checkout: Path) -> Repository:
    """Check all that a pull request needs, before anything is made; `GitError` names the fix."""
    root = Path(git(checkout, "rev-parse", "--show-toplevel"))
    if root.resolve() != checkout.resolve():
        raise GitError(f"{checkout} is inside of the repository {root}; the checkout must be its top")
    dirty = git(root, "status", "--porcelain")
    if dirty:
        first = dirty.splitlines()[0][3:]
        raise GitError(
            f"{first} and what else is changed is not committed: commit it or `git stash -u`, then try again"
        )
    base = git(root, "branch", "--show-current")
    if not base:
        raise GitError("HEAD is on no branch: `git switch main`, then try again")
    if git(root, "ls-remote", "--heads", _REMOTE, f"refs/heads/{base}").partition("\t")[0] != git(
        root, "rev-parse", "HEAD"
    ):
        raise GitError(f"{base} is not what {_REMOTE} has: `git pull` and `git push`, then try again")
    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        raise UsageError("GITHUB_TOKEN is not set: give a token that may write contents and pull requests")
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    return Repository(root, base, GitHub(repository_of(root), token, api=api))


def repository_of(root: Path) -> str:
    """OWNER/NAME at GitHub, from GITHUB_REPOSITORY or else from the remote."""
    named = os.environ.get("GITHUB_REPOSITORY", "")
    if named:
        return named
    address = git(root, "remote", "get-url", _REMOTE)
    match = re.search(r"[:/]([\w.-]+/[\w.-]+?)(\.git)?/?$", address)
    if match is None or ("://" not in address and "@" not in address):
        raise GitError(f"{_REMOTE} is {address}, which names no repository at GitHub: set GITHUB_REPOSITORY=OWNER/NAME")
    return match[1]


def git(root: Path, *words: str, given: str | None = None, more: Mapping[str, str] | None = None) -> str:
    """What a command of git prints; `GitError` with its complaint. It never asks for a password."""
    program = shutil.which("git")
    if program is None:
        raise GitError("git is not on PATH; install it")
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", **(more or {})}
    done = subprocess.run(
        [program, *words], cwd=root, env=environment, input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        complaint = (done.stderr or done.stdout).strip().splitlines() or [f"code {done.returncode}"]
        raise GitError(f"git {words[0]}: {' '.join(complaint)[:500]}")
    return done.stdout.strip("\n") if words[0] == "status" else done.stdout.strip()
