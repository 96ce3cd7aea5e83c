"""`atwork up`: one more preview of each stack, and the update if its change is the one that was approved."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.engine import choice
from atwork.environments.lifetime import is_expired
from atwork.errors import BackendError, ExitCode, UsageError
from atwork.github import context
from atwork.group_files import secrets_provider
from atwork.locks import store
from atwork.locks.note import noted
from atwork.preview import reached
from atwork.preview.run import previews
from atwork.report import terminal
from atwork.report.model import StackReport
from atwork.report.slack import send
from infra.config import parse, read_file
from infra.stack_name import StackName

_MERGED = "merged"


def up(
    stacks: Sequence[str],
    expected: str,
    *,
    since: str = "",
    tip: str = "",
    slack: bool = False,
    groups: bool = True,
) -> int:
    """Update stacks if their changes are the approved ones; `slack` tells how it ended.

    With `merged`, the approved change of a stack is that of the newest pull request that reaches it, of all that were
    merged after the commit `since`. With `groups` as well, an environment stands for its own stack and for those of its
    groups of services, as far as these pull requests reach them. With `tip`, a stack that a commit between HEAD and it
    reaches is left out.
    """
    console = Console(highlight=False)
    reports: list[StackReport] = []
    code: int = ExitCode.OK
    failed: set[str] = set()
    chosen = _chosen(stacks, expected, since, tip, console, groups=groups)
    approved = _approvals(since) if expected == _MERGED and chosen else lambda _stack: expected
    for name in chosen:
        if StackName.parse(name).environment in failed:
            continue  # the groups read what the environment did not get
        try:
            ended = _up(name, approved(name), reports, console)
        except BackendError as error:
            console.print(f"{name}: {error}", markup=False)
            ended = ExitCode.FAILED
        code = code or ended
        if ended:
            failed.add(name)
    if slack and (code or any(report.result != "unchanged" for report in reports)):
        ends: dict[int, str] = {
            ExitCode.OK: "Deployed",
            ExitCode.NOT_APPROVED: "Refused, because another change was approved",
        }
        send(context.needed("SLACK_WEBHOOK_URL"), ends.get(code, "Failed to deploy"), reports, link=context.run())
    return code


def _is_over(environment: str, console: Console) -> bool:
    """Whether an environment has expired, which is then printed."""
    over = is_expired(parse(environment, read_file(find_checkout().stack_file(environment)) or ""), datetime.now(UTC))
    if over:
        console.print(
            f"{environment} is an ephemeral environment whose time is over: it is not updated, and "
            "`atwork environment reap` ends it. "
            f"Longer: `atwork environment extend {environment} --ttl 24h`, and merge that."
        )
    return over


def _chosen(stacks: Sequence[str], expected: str, since: str, tip: str, console: Console, *, groups: bool) -> list[str]:
    """The stacks to update, an environment before its groups."""
    chosen = find_checkout().selected(stacks, groups=groups and expected == _MERGED)
    environments = dict.fromkeys(StackName.parse(stack).environment for stack in chosen)
    over = {environment for environment in environments if _is_over(environment, console)}
    chosen = [stack for stack in chosen if StackName.parse(stack).environment not in over]
    if not chosen:
        return []
    if expected == _MERGED:
        context.real()
        if groups:
            chosen = reached.merged(chosen, since)
            if not chosen:
                console.print(f"What was merged reaches no stack of {', '.join(stacks)}.")
    if tip:
        newer = reached.outdated(chosen, tip)
        if newer:
            console.print(f"Left out: {', '.join(newer)}: a newer commit reaches them, whose own run updates them.")
        chosen = [stack for stack in chosen if stack not in newer]
    return chosen


def _up(stack: str, expected: str, reports: list[StackReport], console: Console) -> int:
    checkout = find_checkout()
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
        if now.result == "unchanged":
            return 0  # also where a run before this one made the approved change
        if not now.fingerprint.startswith(expected.removeprefix("sha256:")):
            console.print(f"Refused: the change is {now.fingerprint[:12]}, and {expected[:12]} was approved.")
            return ExitCode.NOT_APPROVED
        if now.new and StackName.parse(stack).group is not None:
            # Bootstrap creates the stack of an environment; a group's has the same key, which its file states.
            backend.stack(stack).create(secrets_provider=secrets_provider(checkout.stack_file(stack)))
        files = store.of(backend.url) if backend.shared else None
        return backend.stack(stack).up_in_terminal(lambda pid: noted(files, stack, pid, context.run(), console.print))


def _approvals(since: str) -> Callable[[str], str]:
    """The fingerprint of a stack that the report of the newest merged pull request that reaches it showed."""
    hub, bot = context.hub(), context.bot()
    merge_of, head_of = reached.merges(since), cache(hub.merged)

    def approved(stack: str) -> str:
        merge = merge_of(stack)
        head = head_of(merge)
        fingerprint = hub.approved(head, stack, bot) if head else ""
        if not fingerprint:
            raise BackendError(
                f"{merge[:8]} merged no pull request whose report of {stack} passed; open one, or give the fingerprint "
                "to make"
            )
        return fingerprint

    return approved
