"""Every tracked file has an owner, by the last matching rule of CODEOWNERS as on GitHub.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import pytest
from pathspec import GitIgnoreSpec
from support.checkout import ROOT

Rules = Sequence[tuple[GitIgnoreSpec, Sequence[str]]]


def rules(text: str) -> Rules:
    """Pattern and owners of each rule; a rule without owners takes them away."""
    words = [line.partition("#")[0].split() for line in text.splitlines()]
    return [(GitIgnoreSpec.from_lines([pattern]), owners) for pattern, *owners in filter(None, words)]


def owners(rules: Rules, path: str) -> Sequence[str]:
    matching = [owners for spec, owners in rules if spec.match_file(path)]
    return matching[-1] if matching else ()


def test_every_tracked_file_has_an_owner() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = listed.rstrip("\0").split("\0")
    assert len(paths) > 500
    parsed = rules((ROOT / ".github" / "CODEOWNERS").read_text())
    assert [path for path in paths if not owners(parsed, path)] == []


@pytest.mark.parametrize(
    ("text", "path", "owned"),
    [
        ("/infra/ @a/b", "infra/stack.py", True),
        ("/infra/ @a/b", "docs/infra/x.md", False),
        ("* @a/b", ".github/CODEOWNERS", True),
        ("* @a/b\n/services/", "services/orders.yaml", False),
        ("* @a/b\n/services/ # nobody", "services/orders.yaml", False),
        ("/services/\n* @a/b", "services/orders.yaml", True),
        ("# * @a/b", "Makefile", False),
    ],
)
def test_the_last_matching_rule_counts(text: str, path: str, *, owned: bool) -> None:
    assert bool(owners(rules(text), path)) is owned
