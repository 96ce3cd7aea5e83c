"""Whether the secrets that stand before the first update have a value; without one, their readers never start."""

from __future__ import annotations

from collections.abc import Iterator

from atwork.environments.bootstrap.google import Google
from atwork.environments.preflight.check import Check, asked, right, wrong
from components.expected_secrets import ExpectedSecret
from infra.stack import StackConfig

NAMES = ("secrets",)


def checks(google: Google, name: str, config: StackConfig, *, made: bool) -> Iterator[Check]:
    """Look at all that bootstrap makes; before bootstrap nothing can be there."""
    project = config.project.id
    expected = [secret for secret in config.expected_secrets() if secret.made_by == "bootstrap"]
    if not expected:
        yield right(NAMES[0], "none is needed before the first update")
    elif not made:
        yield Check(NAMES[0], None, f"bootstrap makes {len(expected)}")
    else:
        fix = f"ask for roles/secretmanager.viewer on {project}"
        yield asked(NAMES[0], fix, lambda: _values(google, name, project, expected))


def _values(google: Google, name: str, project: str, expected: list[ExpectedSecret]) -> Check:
    from atwork.environments.bootstrap.secrets import NOT_THERE, add_command, unusable

    found = [(secret, reason) for secret in expected if (reason := unusable(google, secret, project)) is not None]
    if not found:
        return right(NAMES[0], f"{len(expected)} have an enabled version")
    words = ", ".join(f"{secret.name} {reason}" for secret, reason in found)
    made = all(reason != NOT_THERE for _, reason in found)
    return wrong(NAMES[0], words, add_command(found[0][0], project) if made else f"atwork environment bootstrap {name}")
