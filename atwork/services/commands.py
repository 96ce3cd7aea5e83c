"""The commands of `atwork service`; each returns the exit code."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.services.check import check as findings
from atwork.services.new import Wanted, create
from infra.config import read_all as read_stacks
from infra.promotion import release_order
from infra.services import read_all


def release_environments() -> tuple[str, ...]:
    """The environments of this checkout that releases reach, in order."""
    return tuple(release_order(read_stacks(find_checkout().stacks)))


def new(wanted: Wanted, into: Path | None) -> int:
    """Make a service's repository and its entry in the catalogue, and say what comes next."""
    checkout, console = find_checkout().root, Console(highlight=False, soft_wrap=True)
    target = into or checkout.parent / wanted.name
    file = create(checkout, wanted, target)
    console.print(f"{target}: the repository, ready to push to {wanted.repository}")
    console.print(f"{file.relative_to(checkout)}: what the platform gives it in {', '.join(wanted.environments)}")
    console.print()
    console.print("Next:")
    console.print(f"  1. cd {target} && git init -b main && git add -A && git commit -m 'Begin {wanted.name}'")
    console.print(f"     git push to {wanted.repository}; Jenkins finds it by its Jenkinsfile")
    console.print(f"  2. a pull request here with {file.relative_to(checkout)}: its preview shows what is made")
    for secret in wanted.secrets:
        console.print(f"  3. the value of {wanted.name}-{secret}: docs/secrets.md")
    return 0


def check(folder: Path) -> int:
    """Tell what a repository lacks."""
    console = Console(highlight=False, soft_wrap=True)
    found = findings(folder, read_all(find_checkout().services))
    for one in found:
        console.print(str(one), markup=False)
    if found:
        console.print(f"{len(found)} to mend; docs/onboarding.md has an example of each")
        return 1
    console.print(f"{folder}: has all that the pipeline and the platform ask for")
    return 0
