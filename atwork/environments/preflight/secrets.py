"""Checks that the secrets of an environment have a value; without one, their pods never start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, ask, right, wrong
from components.expected_secrets import ExpectedSecret
from infra.stack import StackConfig

NAMES = ("secrets", "service secrets")
"""Secrets that bootstrap creates for the first update, and secrets of services, which that update creates empty."""


def checks(google: Google, name: str, config: StackConfig, *, bootstrapped: bool) -> Iterator[Check]:
    """Check every secret that the settings expect; none exists before the bootstrap."""
    project = config.project.id
    expected = config.expected_secrets()
    first = [secret for secret in expected if secret.made_by == "bootstrap"]
    later = [secret for secret in expected if secret.made_by == "program"]
    fix = f"ask for roles/secretmanager.viewer on {project}"
    if not first:
        yield right(NAMES[0], "no secret is needed before the first update")
    elif not bootstrapped:
        yield Check(NAMES[0], None, f"bootstrap creates {len(first)}")
    else:
        yield ask(NAMES[0], fix, lambda: _before_update(google, name, project, first))
    if not later:
        yield right(NAMES[1], "no service has a secret")
    elif not bootstrapped:
        yield Check(NAMES[1], None, f"the first update creates {len(later)}, empty")
    else:
        yield ask(NAMES[1], fix, lambda: _of_services(google, project, later), needed=False)


def _before_update(google: Google, name: str, project: str, expected: Sequence[ExpectedSecret]) -> Check:
    from atwork.environments.bootstrap.secrets import NOT_THERE, add_command

    problems = _unusable(google, project, expected)
    if not problems:
        return right(NAMES[0], f"{len(expected)} have an enabled version")
    missing = any(reason == NOT_THERE for _, reason in problems)
    fix = f"atwork environment bootstrap {name}" if missing else add_command(problems[0][0], project)
    return wrong(NAMES[0], _words(problems), fix)


def _of_services(google: Google, project: str, expected: Sequence[ExpectedSecret]) -> Check:
    from atwork.environments.bootstrap.secrets import NOT_THERE, add_command

    problems = _unusable(google, project, expected)
    if not problems:
        return right(NAMES[1], f"{len(expected)} have an enabled version")
    waiting = [(secret, reason) for secret, reason in problems if reason != NOT_THERE]
    if not waiting:
        return Check(NAMES[1], None, f"the next update creates {len(problems)}, empty")
    words = f"{_words(waiting)}; their pods do not start"
    return wrong(NAMES[1], words, add_command(waiting[0][0], project), needed=False)


def _unusable(google: Google, project: str, expected: Sequence[ExpectedSecret]) -> list[tuple[ExpectedSecret, str]]:
    """The secrets that cannot be read, each with the reason."""
    from atwork.environments.bootstrap.secrets import unusable

    return [(secret, reason) for secret in expected if (reason := unusable(google, secret, project)) is not None]


def _words(problems: Sequence[tuple[ExpectedSecret, str]]) -> str:
    return ", ".join(f"{secret.name} {reason}" for secret, reason in problems)
