"""The commands of `atwork access`; each returns the exit code."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from atwork.access import principals
from atwork.access.binding import Binding
from atwork.access.model import ACT_AS, AccessModel
from atwork.access.source import source_of
from atwork.access.suggestions import suggestion
from atwork.checkout import find_checkout
from atwork.engine.urn import name_of, stack_of
from atwork.errors import AccessError


def explain(name: str, resource: str | None, *, as_json: bool) -> int:
    """Print the bindings of a principal."""
    model = source_of(find_checkout()).model()
    principal = find(model, name)
    bindings = model.of(principal, resource)
    accounts = [] if resource else acts_as(model, principal)
    if as_json:
        print(
            json.dumps(
                {"principal": principal, "bindings": [_as_json(binding) for binding in bindings], "actsAs": accounts}
            )
        )
        return 0
    console = _console()
    where = f" that reach {resource}" if resource else ""
    console.print(f"{principal}: {len(bindings) or 'no'} bindings{where}", markup=False)
    _print(console, ("Role", "Resource", "Condition", "Origin"), [_row(binding) for binding in bindings])
    if accounts:
        console.print("May act as (the rights of these accounts are not listed above):")
        for account in accounts:
            console.print(f"  {account}", markup=False)
    return 0


def who_can(permission: str, resource: str, *, as_json: bool) -> int:
    """Print the principals that have a permission on a resource."""
    decisions = source_of(find_checkout()).model().who(permission, resource)
    granted = [(decision.principal, decision.binding) for decision in decisions if decision.binding is not None]
    if as_json:
        print(json.dumps([{"principal": principal, **_as_json(binding)} for principal, binding in granted]))
        return 0
    console = _console()
    console.print(f"{permission} on {resource}: {len(granted) or 'no'} principals", markup=False)
    rows = [(principal, *_row(binding)) for principal, binding in granted]
    _print(console, ("Principal", "Role", "Granted on", "Condition", "Origin"), rows)
    return 0


def audit(*, as_json: bool) -> int:
    """Print the differences between bindings and duties; return 1 if there are any."""
    findings = source_of(find_checkout()).findings()
    if as_json:
        print(json.dumps([{"identity": finding.identity, "message": finding.message} for finding in findings]))
    else:
        console = _console()
        for finding in findings:
            console.print(str(finding), markup=False)
        console.print(f"{len(findings) or 'No'} differences between rights and duties.")
    return 1 if findings else 0


def find(model: AccessModel, name: str) -> str:
    """The principal for a name: a full principal, or the e-mail address or pod at the end of exactly one member."""
    members = model.members()
    full = next((form for form in (name, f"serviceAccount:{name}") if _is_principal(form) and form in members), None)
    if full is not None:
        return full
    ending = sorted(member for member in members if member.endswith((f":{name}", f"/{name}")))
    if len(ending) == 1:
        return ending[0]
    if ending:
        raise AccessError(f"{name}: several principals end with this name; use one of {', '.join(ending)}")
    canonical = principals.canonical(name if ":" in name else f"serviceAccount:{name}", model.numbers)
    if any(principals.covers(member, canonical, model.numbers) for member in members if _is_principal(canonical)):
        return canonical
    raise AccessError(f"{name}: no binding names this principal{suggestion(name, members)}")


def acts_as(model: AccessModel, principal: str) -> list[str]:
    """E-mail addresses of the service accounts that a principal may impersonate."""
    marker = "/serviceAccounts/"
    names = {*model.resources, *(binding.resource for binding in model.bindings)}
    accounts = {name for name in names if marker in name}
    return sorted({account.partition(marker)[2] for account in accounts if model.may(principal, ACT_AS, account)})


def _is_principal(text: str) -> bool:
    try:
        principals.check(text)
    except AccessError:
        return False
    return True


def _as_json(binding: Binding) -> dict[str, Any]:
    condition = binding.condition
    return {
        "role": binding.role,
        "member": binding.member,
        "resource": binding.resource,
        "condition": None if condition is None else {"title": condition.title, "expression": condition.expression},
        "origin": binding.origin,
    }


def _row(binding: Binding) -> tuple[str, str, str, str]:
    """Role, resource, condition and origin; the origin of a URN is the stack and the name in the program."""
    condition = binding.condition.title if binding.condition else ""
    stack, name = stack_of(binding.origin), name_of(binding.origin)
    origin = binding.origin if stack == name else f"{stack}: {name}"
    return binding.role, binding.resource, condition, origin


def _console() -> Console:
    """A console that folds long names in a terminal and never elsewhere."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=2000)


def _print(console: Console, headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if not rows:
        return
    table = Table(*(Column(header, overflow="fold") for header in headers), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
