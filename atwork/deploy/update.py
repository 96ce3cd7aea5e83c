"""`atwork up`: one more preview, and the update if its change is the one that was approved."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.engine import choice
from atwork.environments.lifetime import is_expired
from atwork.errors import BackendError, ExitCode, UsageError
from atwork.github import context
from atwork.group_files import secrets_provider
from atwork.locks import store
from atwork.locks.note import noted
from atwork.preview.run import previews
from atwork.report import terminal
from atwork.report.model import StackReport
from atwork.report.slack import send
from infra.config import parse, read_file
from infra.reach import reach
from infra.stack_name import StackName

_MERGED = "merged"


def up(stack: str, expected: str, *, slack: bool = False) -> int:
    """Update a stack if its change is the one that was approved; `slack` tells how it ended.

    With `merged`, an environment stands for its own stack and for the stacks of its groups of services, as far as the
    merged pull request reaches them.
    """
    console = Console(highlight=False)
    reports: list[StackReport] = []
    code: int = ExitCode.OK
    if _is_over(stack, console):
        return code
    for name in _stacks(stack, expected, console):
        ended = _up(name, expected, reports, console)
        code = code or ended
        if ended and StackName.parse(name).group is None:
            break  # the groups read what the environment did not get
    if slack and (code or any(report.result != "unchanged" for report in reports)):
        ends: dict[int, str] = {
            ExitCode.OK: "Deployed",
            ExitCode.NOT_APPROVED: "Refused, because another change was approved",
        }
        send(context.needed("SLACK_WEBHOOK_URL"), ends.get(code, "Failed to deploy"), reports, link=context.run())
    return code


def _is_over(stack: str, console: Console) -> bool:
    """Whether the stack's environment has expired, which is then printed."""
    checkout = find_checkout()
    checkout.require(stack)
    environment = StackName.parse(stack).environment
    over = is_expired(parse(environment, read_file(checkout.stack_file(environment)) or ""), datetime.now(UTC))
    if over:
        console.print(
            f"{stack} is an ephemeral environment whose time is over: it is not updated, and "
            "`atwork environment reap` ends it. "
            f"Longer: `atwork environment extend {stack} --ttl 24h`, and merge that."
        )
    return over


def _stacks(stack: str, expected: str, console: Console) -> list[str]:
    """The stacks to update, an environment before its groups."""
    checkout = find_checkout()
    if expected != _MERGED:
        return [stack]
    context.real()
    selected = checkout.selected([stack])
    paths = context.hub().merged_files(context.commit("HEAD"))
    if paths is None:
        return selected
    reachable = reach(paths, checkout.stack_names()).reached
    reached = [name for name in selected if name in reachable]
    if not reached:
        console.print(f"The merged pull request reaches no stack of {stack}.")
    return reached


def _up(stack: str, expected: str, reports: list[StackReport], console: Console) -> int:
    checkout = find_checkout()
    if expected == _MERGED:
        expected = _approved(stack)
    if not re.fullmatch(r"(sha256:)?[0-9a-f]{12,64}", expected):
        raise UsageError(f"--expect {expected}: give the fingerprint of a report, 12 to 64 hexadecimal digits")
    with choice.chosen(checkout, console) as backend:
        with terminal.watcher(console) as watch:
            [now] = previews(backend, checkout, [stack], watch)
        reports.append(now)
        terminal.show([now], console)
        if now.result == "failed":
            return 1
        if now.result == "blocked":
            console.print(
                "Refused: a protection stops it, or the update would stop in the middle, as shown above. Lift it first."
            )
            return ExitCode.REFUSED
        if now.held:
            console.print(f"Refused: {stack} is locked; `atwork unlock {stack}` says by whom, and whether that lives.")
            return 1
        if now.pending:
            console.print("An interrupted update is not resolved; run `pulumi refresh` first.")
            return 1
        if not now.fingerprint.startswith(expected.removeprefix("sha256:")):
            console.print(f"Refused: the change is {now.fingerprint[:12]}, and {expected[:12]} was approved.")
            return ExitCode.NOT_APPROVED
        if now.result == "unchanged":
            return 0
        if now.new and StackName.parse(stack).group is not None:
            # Bootstrap creates the stack of an environment; a group's has the same key, which its file states.
            backend.stack(stack).create(secrets_provider=secrets_provider(checkout.stack_file(stack)))
        files = store.of(backend.url) if backend.shared else None
        return backend.stack(stack).up_in_terminal(lambda pid: noted(files, stack, pid, context.run(), console.print))


def _approved(stack: str) -> str:
    """The fingerprint that the report of the pull request showed which HEAD merged."""
    hub = context.hub()
    head = hub.merged(context.commit("HEAD"))
    bot = context.bot()
    fingerprint = hub.approved(head, stack, bot) if head else ""
    if not fingerprint:
        raise BackendError(
            f"HEAD merged no pull request whose report of {stack} passed; open one, or give the fingerprint to make"
        )
    return fingerprint
