"""IAM bindings that bootstrap adds to the policy of a resource; it keeps all other bindings.

A policy is written with the etag of the read. If somebody changed it in between, the write fails, and the step reads
the policy again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import explain_errors
from atwork.environments.bootstrap.policies import Grant, Resource
from atwork.environments.bootstrap.projects import find_project
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step

_CONFLICTS = (409, 412)


def grants(
    key: str, title: str, admin: str, wanted: Mapping[Resource, Sequence[Grant]], *, alone: bool = False
) -> Step:
    """Add bindings to several resources; `alone` also reports other members with the same role."""

    def ensure(context: Context) -> str:
        google = context.google
        with explain_errors(f"read the project {admin}", f"ask for roles/viewer on {admin}"):
            existing = find_project(google, admin)
        number = existing[0] if existing is not None else ""
        added, others = 0, []
        for resource, wanted_grants in wanted.items():
            bindings = [grant.binding(number) for grant in wanted_grants]
            with explain_errors(title, f"ask for {resource.may}; members and roles must exist"):
                added += _add(google, resource, bindings, title)
                if alone:
                    others += _others(resource.read(google), bindings)
        outcome = f"granted {added}" if added else UNCHANGED
        return f"{outcome}, but others have the same role: {', '.join(sorted(others))}" if others else outcome

    commands = tuple(
        _command(resource, grant, admin) for resource, wanted_grants in wanted.items() for grant in wanted_grants
    )
    return Step(key, title, commands, ensure)


def _command(resource: Resource, grant: Grant, admin: str) -> str:
    number = f"$(gcloud projects describe {admin} --format='value(projectNumber)')"
    command = f'{resource.command} --role={grant.role} --member="{grant.member.replace("{number}", number)}"'
    if grant.condition is None:
        return f"{command} --condition=None" if resource.conditional else command
    title, expression = grant.condition
    return f"{command} --condition={shlex.quote(f'^:^title={title}:expression={expression}')}"


def _add(google: Google, resource: Resource, bindings: Sequence[dict[str, Any]], title: str) -> int:
    from google.api_core.exceptions import BadRequest, GoogleAPICallError

    added = 0

    def done() -> bool:
        nonlocal added
        policy = resource.read(google)
        missing = [binding for binding in bindings if not _has(policy, binding)]
        if not missing:
            return True
        changed = {**policy, "bindings": [*policy.get("bindings", []), *missing]}
        if any("condition" in binding for binding in changed["bindings"]):
            changed["version"] = 3
        try:
            resource.write(google, changed)
        except BadRequest as error:
            if "does not exist" not in str(error):
                raise
            return False  # a new account is not known everywhere yet
        except GoogleAPICallError as error:
            if error.code not in _CONFLICTS:
                raise
            return False
        added += len(missing)
        return True

    google.wait_until(done, title)
    return added


def _has(policy: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return any(
        binding["role"] == wanted["role"]
        and set(wanted["members"]) <= set(binding.get("members", []))
        and binding.get("condition", {}).get("expression") == wanted.get("condition", {}).get("expression")
        for binding in policy.get("bindings", [])
    )


def _others(policy: Mapping[str, Any], bindings: Sequence[Mapping[str, Any]]) -> list[str]:
    roles = {binding["role"] for binding in bindings}
    mine = {member for binding in bindings for member in binding["members"]}
    present = [binding for binding in policy.get("bindings", []) if binding["role"] in roles]
    return [member for binding in present for member in binding["members"] if member not in mine]
