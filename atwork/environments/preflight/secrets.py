"""Whether the secrets of an environment have a value; without one, the pods that read them never start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, asked, right, wrong
from components.expected_secrets import ExpectedSecret
from infra.stack import StackConfig

NAMES = ("secrets", "service secrets")
"""Those that bootstrap makes, which the first update waits for, and those of services, which it makes empty."""


def checks(google: Google, name: str, config: StackConfig, *, made: bool) -> Iterator[Check]:
    """Look at every secret that the settings expect; before bootstrap nothing can be there."""
    project = config.project.id
    expected = config.expected_secrets()
    first = [secret for secret in expected if secret.made_by == "bootstrap"]
    later = [secret for secret in expected if secret.made_by == "program"]
    fix = f"ask for roles/secretmanager.viewer on {project}"
    if not first:
        yield right(NAMES[0], "none is needed before the first update")
    elif not made:
        yield Check(NAMES[0], None, f"bootstrap makes {len(first)}")
    else:
        yield asked(NAMES[0], fix, lambda: _before_update(google, name, project, first))
    if not later:
        yield right(NAMES[1], "no service has one")
    elif not made:
        yield Check(NAMES[1], None, f"the first update makes {len(later)}, empty")
    else:
        yield asked(NAMES[1], fix, lambda: _of_services(google, project, later), needed=False)


def _before_update(google: Google, name: str, project: str, expected: Sequence[ExpectedSecret]) -> Check:
    from atwork.environments.bootstrap.secrets import NOT_THERE, add_command

    found = _unusable(google, project, expected)
    if not found:
        return right(NAMES[0], f"{len(expected)} have an enabled version")
    missing = any(reason == NOT_THERE for _, reason in found)
    fix = f"atwork environment bootstrap {name}" if missing else add_command(found[0][0], project)
    return wrong(NAMES[0], _words(found), fix)


def _of_services(google: Google, project: str, expected: Sequence[ExpectedSecret]) -> Check:
    from atwork.environments.bootstrap.secrets import NOT_THERE, add_command

    found = _unusable(google, project, expected)
    if not found:
        return right(NAMES[1], f"{len(expected)} have an enabled version")
    waiting = [(secret, reason) for secret, reason in found if reason != NOT_THERE]
    if not waiting:
        return Check(NAMES[1], None, f"the next update makes {len(found)}, empty")
    words = f"{_words(waiting)}; their pods do not start"
    return wrong(NAMES[1], words, add_command(waiting[0][0], project), needed=False)


def _unusable(google: Google, project: str, expected: Sequence[ExpectedSecret]) -> list[tuple[ExpectedSecret, str]]:
    """The secrets that cannot be read, each with the reason."""
    from atwork.environments.bootstrap.secrets import unusable

    return [(secret, reason) for secret in expected if (reason := unusable(google, secret, project)) is not None]


def _words(found: Sequence[tuple[ExpectedSecret, str]]) -> str:
    return ", ".join(f"{secret.name} {reason}" for secret, reason in found)
