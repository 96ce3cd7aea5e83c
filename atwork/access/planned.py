"""The bindings that bootstrap makes, as an access model."""

from __future__ import annotations

from collections.abc import Iterable

from atwork.access.binding import Binding, Condition
from atwork.access.model import AccessModel
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.bootstrap.policies import Grant
from atwork.environments.bootstrap.steps import custom_roles, granted


def model(plans: Iterable[BootstrapPlan], admin_number: str | None = None) -> AccessModel:
    """The model of what bootstrap grants for some environments.

    `admin_number` is the number of the admin project, which no file of the checkout contains. Without it, the
    identities of GitHub's workflows contain the project's id instead.
    """
    models = [_of(plan, admin_number or plan.admin) for plan in plans]
    return AccessModel(()).join(*models)


def _of(plan: BootstrapPlan, number: str) -> AccessModel:
    origin = f"bootstrap of {plan.name}"
    grants_by_resource = granted(plan)
    bindings = tuple(
        Binding(grant.role, grant.member.replace("{number}", number), resource.name, _condition(grant), origin)
        for resource, grants in grants_by_resource.items()
        for grant in grants
    )
    parent = plan.platform.parent
    parents = {f"projects/{plan.admin}": parent, f"buckets/{plan.platform.bucket}": f"projects/{plan.admin}"}
    create = plan.config.project.create
    if create is not None:
        parents[f"projects/{plan.config.project.id}"] = f"folders/{create.folder_id}"
    accounts = {f"projects/{plan.admin}/serviceAccounts/{plan.email(short)}" for short in plan.accounts}
    custom = {role.name(project): role.permissions for project, roles in custom_roles(plan).items() for role in roles}
    return AccessModel(bindings, custom, resources=frozenset({*accounts, plan.key}), parents=parents)


def _condition(grant: Grant) -> Condition | None:
    return None if grant.condition is None else Condition(*grant.condition)
