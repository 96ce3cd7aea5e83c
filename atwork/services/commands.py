"""The commands of `atwork service`; each returns the exit code."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.group_files import write_stack_files
from atwork.services.check import check as findings
from atwork.services.new import NewService, create
from infra.catalog import read_all
from infra.config import read_all as read_stacks
from infra.layout import group_files
from infra.promotion import release_order


def release_environments() -> tuple[str, ...]:
    """The environments of this checkout that releases reach, in order."""
    return tuple(release_order(read_stacks(find_checkout().stacks)))


def new(service: NewService, into: Path | None) -> int:
    """Create a service's repository and service file, and print the next steps."""
    checkout, console = find_checkout().root, Console(highlight=False, soft_wrap=True)
    target = into or checkout.parent / service.name
    file = create(checkout, service, target)
    console.print(f"{target}: repository, ready to push to {service.repository}")
    console.print(f"{file.relative_to(checkout)}: settings of the service in {', '.join(service.environments)}")
    _complete_group(service.group, console)
    console.print()
    console.print("Next:")
    console.print(f"  1. cd {target} && git init -b main && git add -A && git commit -m 'Create {service.name}'")
    console.print(f"     git push to {service.repository}; Jenkins discovers it by its Jenkinsfile")
    console.print(f"  2. open a pull request with {file.relative_to(checkout)}; its preview shows the new resources")
    for secret in service.secrets:
        console.print(f"  3. add the value of {service.name}-{secret} (docs/secrets.md)")
    return 0


def _complete_group(name: str, console: Console) -> None:
    """Write the stack files that a group with stacks of its own needs for a new service."""
    checkout = find_checkout()
    if any(stack.group == name for stack in group_files(checkout.stacks)):
        _write_stack_files(name, console)


def _write_stack_files(name: str, console: Console) -> int:
    checkout = find_checkout()
    written = write_stack_files(checkout.root, name, read_stacks(checkout.stacks), read_all(checkout.services))
    for file in written:
        console.print(f"{file.relative_to(checkout.root)}: written")
    return len(written)


def group(name: str) -> int:
    """Write the stack files that a group of services lacks, and print the next steps."""
    console = Console(highlight=False, soft_wrap=True)
    if not _write_stack_files(name, console):
        console.print(f"{name}: has all its stack files")
    return 0


def check(folder: Path) -> int:
    """Print what a repository lacks; return 1 if anything is missing. What could not be checked is no failure."""
    console = Console(highlight=False, soft_wrap=True)
    results = findings(folder, read_all(find_checkout().services))
    for finding in results:
        console.print(str(finding), markup=False)
    missing = sum(not finding.note for finding in results)
    if missing:
        console.print(f"{missing} to fix; docs/onboarding.md has an example of each")
        return 1
    console.print(f"{folder}: complete")
    return 0
