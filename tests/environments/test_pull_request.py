"""A pull request from a checkout: exactly its files, a checkout that stays as it is, and nothing left of what fails."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.environments import PLACE, atwork, contents, create_ephemeral, new

from atwork.errors import UserError
from atwork.github import pull_request
from atwork.github.errors import GitHubError
from atwork.github.pull_request import GitError


class Hub:
    """GitHub's API of one repository, as far as opening a pull request goes."""

    def __init__(self) -> None:
        self.opened: list[dict[str, Any]] = []
        self.code = 201
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.opened.append({"path": self.path, "token": self.headers["Authorization"], **body})
                answer = json.dumps({"html_url": "https://github.com/acme/platform/pull/7"}).encode()
                self.send_response(outer.code)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever)
        self.thread.start()


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.http.server_port}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/platform")
    monkeypatch.setenv("GITHUB_TOKEN", "right")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.com")
    yield server
    server.http.shutdown()
    server.http.server_close()
    server.thread.join()


@pytest.fixture
def origin(checkout: Path, tmp_path: Path) -> Path:
    """A bare repository that the checkout was pushed to."""
    bare = tmp_path / "origin.git"
    git(tmp_path, "init", "--quiet", "--bare", "-b", "main", str(bare))
    git(checkout, "init", "--quiet", "-b", "main")
    git(checkout, "add", "-A")
    git(checkout, "commit", "--quiet", "-m", "The platform")
    git(checkout, "remote", "add", "origin", str(bare))
    git(checkout, "push", "--quiet", "origin", "main")
    return bare


def test_it_has_exactly_its_files_and_the_checkout_stays(checkout: Path, origin: Path, hub: Hub) -> None:
    before = contents(checkout)
    done = new("demo", "--pr", *PLACE)
    assert done.exit_code == 0, done.output + str(done.exception)
    assert "Opened https://github.com/acme/platform/pull/7" in done.output
    changed = git(origin, "diff", "--name-status", "main", "environment/demo").splitlines()
    assert changed == ["M\tstacks/Pulumi.ci.yaml", "A\tstacks/Pulumi.demo.yaml"]
    assert git(origin, "rev-parse", "environment/demo^") == git(checkout, "rev-parse", "HEAD")
    assert git(origin, "log", "-1", "--format=%s", "environment/demo") == "Add the environment demo"
    assert "kind: ephemeral" in git(origin, "show", "environment/demo:stacks/Pulumi.demo.yaml")
    assert contents(checkout) == before
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "branch", "--format=%(refname:short)") == "main"
    [asked] = hub.opened
    assert asked["path"] == "/repos/acme/platform/pulls"
    assert asked["token"] == "Bearer right"
    assert (asked["head"], asked["base"], asked["title"]) == ("environment/demo", "main", "Add the environment demo")
    assert re.search(r"About \d+ to \d+ US dollars a month; \d+ unpriced", asked["body"])
    refused = new("demo", "--pr", *PLACE).exception
    assert isinstance(refused, GitError)
    assert "the branch environment/demo is at origin already: merge or close its pull request" in str(refused)


def test_a_branch_without_its_pull_request_is_taken_away_again(checkout: Path, origin: Path, hub: Hub) -> None:
    hub.code = 403
    before = contents(checkout)
    refused = new("demo", "--pr", *PLACE).exception
    assert isinstance(refused, GitHubError)
    assert "could not open the pull request: GitHub answered 403" in str(refused)
    assert git(origin, "branch", "--format=%(refname:short)") == "main"
    assert contents(checkout) == before
    assert git(checkout, "branch", "--show-current") == "main"
    hub.code = 201
    assert new("demo", "--pr", *PLACE).exit_code == 0, "and the next try succeeds"


def test_the_removal_of_what_is_gone_is_offered_once(checkout: Path, origin: Path, hub: Hub) -> None:
    create_ephemeral("demo")
    git(checkout, "add", "-A")
    git(checkout, "commit", "--quiet", "-m", "demo")
    git(checkout, "push", "--quiet", "origin", "main")
    assert "demo: opened https://github.com/acme/platform/pull/7" in atwork("remove", "demo", "--pr").output
    changed = git(origin, "diff", "--name-status", "main", "environment/remove-demo").splitlines()
    assert changed == ["M\tstacks/Pulumi.ci.yaml", "D\tstacks/Pulumi.demo.yaml"]
    again = atwork("remove", "demo", "--pr")
    assert again.exit_code == 0
    assert "its removal is offered already" in again.output
    assert len(hub.opened) == 1
    assert (checkout / "stacks" / "Pulumi.demo.yaml").exists()


def test_a_tree_that_is_not_as_the_remote_is_refused(
    checkout: Path, origin: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> str:
        error = new("demo", "--pr", *PLACE).exception
        assert isinstance(error, UserError), error
        return str(error)

    (checkout / "notes").write_text("mine")
    assert "notes and what else is changed is not committed: commit it or `git stash -u`" in refused()
    git(checkout, "add", "notes")
    git(checkout, "commit", "--quiet", "-m", "mine")
    assert "main is not what origin has: `git pull` and `git push`" in refused()
    git(checkout, "reset", "--quiet", "--hard", "HEAD^")
    git(checkout, "switch", "--quiet", "--detach")
    assert "HEAD is on no branch: `git switch main`" in refused()
    git(checkout, "switch", "--quiet", "main")
    monkeypatch.delenv("GITHUB_TOKEN")
    assert "GITHUB_TOKEN is not set" in refused()
    monkeypatch.setenv("GITHUB_TOKEN", "right")
    monkeypatch.delenv("GITHUB_REPOSITORY")
    assert "names no repository at GitHub: set GITHUB_REPOSITORY=OWNER/NAME" in refused()
    assert git(origin, "branch", "--format=%(refname:short)") == "main"
    assert hub.opened == []


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/platform.git",
        "https://github.com/acme/platform",
        "git@github.com:acme/platform.git",
        "ssh://git@github.com/acme/platform.git",
    ],
)
def test_the_repository_is_read_from_the_remote(address: str, checkout: Path, origin: Path) -> None:
    git(checkout, "remote", "set-url", "origin", address)
    assert pull_request.repository_of(checkout) == "acme/platform"


def test_a_dry_run_needs_no_repository(checkout: Path) -> None:
    assert new("demo", "--pr", "--dry-run", *PLACE).exit_code == 0
    assert isinstance(new("demo", "--pr", *PLACE).exception, GitError)
