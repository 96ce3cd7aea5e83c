"""The commands of `atwork access`; each returns the exit code."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from atwork.access import checkout, principals
from atwork.access.errors import AccessError, near
from atwork.access.model import ACT_AS, AccessModel, Binding
from atwork.engine.urn import name_of, stack_of
from atwork.sandbox.home import here


def explain(name: str, resource: str | None, *, as_json: bool) -> int:
    """Print the bindings of a principal."""
    model = checkout.model(here())
    principal = find(model, name)
    bindings = model.of(principal, resource)
    accounts = [] if resource else acts_as(model, principal)
    if as_json:
        print(json.dumps({"principal": principal, "bindings": [_plain(one) for one in bindings], "actsAs": accounts}))
        return 0
    console = _console()
    where = f" that reach {resource}" if resource else ""
    console.print(f"{principal}: {len(bindings) or 'no'} bindings{where}", markup=False)
    _print(console, ("Role", "Resource", "Condition", "Origin"), [_row(one) for one in bindings])
    if accounts:
        console.print("May act as (a separate step, whose rights are not listed above):")
        for account in accounts:
            console.print(f"  {account}", markup=False)
    return 0


def who_can(permission: str, resource: str, *, as_json: bool) -> int:
    """Print who has a permission on a resource."""
    decisions = checkout.model(here()).who(permission, resource)
    found = [(decision, decision.binding) for decision in decisions if decision.binding is not None]
    if as_json:
        print(json.dumps([{"principal": one.principal, **_plain(binding)} for one, binding in found]))
        return 0
    console = _console()
    console.print(f"{permission} on {resource}: {len(found) or 'no'} principals", markup=False)
    rows = [(one.principal, *_row(binding)) for one, binding in found]
    _print(console, ("Principal", "Role", "Granted on", "Condition", "Origin"), rows)
    return 0


def audit(*, as_json: bool) -> int:
    """Print the differences between bindings and duties; 1 where there is one."""
    found = checkout.findings(here())
    if as_json:
        print(json.dumps([{"identity": one.identity, "message": one.message} for one in found]))
    else:
        console = _console()
        for one in found:
            console.print(str(one), markup=False)
        console.print(f"{len(found) or 'No'} differences between what identities may and what they do.")
    return 1 if found else 0


def find(model: AccessModel, name: str) -> str:
    """The principal that a person means: a full one, or an e-mail address or pod that one member ends with."""
    members = model.members()
    full = next((form for form in (name, f"serviceAccount:{name}") if _is_principal(form) and form in members), None)
    if full is not None:
        return full
    ending = sorted(member for member in members if member.endswith((f":{name}", f"/{name}")))
    if len(ending) == 1:
        return ending[0]
    if ending:
        raise AccessError(f"{name}: several principals end so; name one of {', '.join(ending)}")
    canonical = principals.canonical(name if ":" in name else f"serviceAccount:{name}", model.numbers)
    if any(principals.covers(member, canonical, model.numbers) for member in members if _is_principal(canonical)):
        return canonical
    raise AccessError(f"{name}: no binding names this principal{near(name, members)}")


def acts_as(model: AccessModel, principal: str) -> list[str]:
    """E-mail addresses of the service accounts that a principal may get tokens of."""
    marker = "/serviceAccounts/"
    accounts = {one for one in {*model.resources, *(b.resource for b in model.bindings)} if marker in one}
    return sorted({one.partition(marker)[2] for one in accounts if model.may(principal, ACT_AS, one)})


def _is_principal(text: str) -> bool:
    try:
        principals.check(text)
    except AccessError:
        return False
    return True


def _plain(binding: Binding) -> dict[str, Any]:
    condition = binding.condition
    return {
        "role": binding.role,
        "member": binding.member,
        "resource": binding.resource,
        "condition": None if condition is None else {"title": condition.title, "expression": condition.expression},
        "origin": binding.origin,
    }


def _row(binding: Binding) -> tuple[str, str, str, str]:
    """Role, resource, condition and origin: of a URN the stack and the name in the program."""
    condition = binding.condition.title if binding.condition else ""
    stack, name = stack_of(binding.origin), name_of(binding.origin)
    origin = binding.origin if stack == name else f"{stack}: {name}"
    return binding.role, binding.resource, condition, origin


def _console() -> Console:
    """Whole names where no person reads along; in a terminal they are folded."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=2000)


def _print(console: Console, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if not rows:
        return
    table = Table(*(Column(head, overflow="fold") for head in heads), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
