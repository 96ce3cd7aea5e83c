"""The access model of a checkout: its sandbox, and what bootstrap grants where there is stacks/platform.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from atwork.access import audit, duties, inside, planned, pods, simulated
from atwork.access.audit import Finding
from atwork.access.errors import AccessError
from atwork.access.model import AccessModel
from atwork.access.rbac import GROUP, Rbac
from atwork.environments.bootstrap import plan as plans
from atwork.environments.bootstrap.plan import Plan
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from atwork.sandbox.provider.gcp.clusters import servers
from atwork.sandbox.provider.values import reveal
from components.identity import ANNOTATION
from components.type_tokens import CLUSTER
from infra import services
from infra.config import read_all
from infra.services import complete
from infra.stack import StackConfig

ACCOUNT = "kubernetes:core/v1:ServiceAccount"
_OF_PLATFORM = ("previews", "drift", "changes")


def model(home: Home) -> AccessModel:
    """The model of all that is up; `AccessError` where nothing is."""
    objects = Cloud(home.cloud).objects() if home.cloud.exists() else []
    return _model(home, objects)


def findings(home: Home) -> list[Finding]:
    """All differences between what the identities of environments that are up may do and what they do."""
    objects = Cloud(home.cloud).objects() if home.cloud.exists() else []
    access = _model(home, objects)
    environments, catalogue = read_all(home.project.stacks), services.read_all(home.project.services)
    up = {name: one for name, one in environments.items() if _is_up(objects, one)}
    places = {name: _place(name, complete(name, one, catalogue), objects) for name, one in up.items()}
    made = [plan for plan in _plans(home, environments) if plan.name in up]
    wrong = pods.mistakes(access, accounts(objects), made_beside(environments))
    return [
        *(Finding(*sentence.split(": ", 1)) for sentence in wrong),
        *audit.findings(access, duties.of(places, made)),
        *(one for name, place in places.items() for one in _inside(name, place.config, objects)),
    ]


def _inside(name: str, config: StackConfig, objects: Sequence[CloudObject]) -> Iterator[Finding]:
    """What is not allowed inside one environment's cluster."""
    start = f"projects/{config.project.id}/"
    scopes = {scope for one in objects if one.type == CLUSTER and one.id.startswith(start) for scope in servers(one)}
    mine = [one for one in objects if one.scope in scopes and one.type.startswith(f"kubernetes:{GROUP}/")]
    rbac = Rbac((one.type.rpartition(":")[2], reveal(one.inputs)) for one in mine)
    return inside.missing(name, rbac, inside.of(config))


def accounts(objects: Sequence[CloudObject]) -> Iterator[pods.PodAccount]:
    """The Kubernetes service accounts of every cluster."""
    projects = {address: one.id.split("/")[1] for one in objects if one.type == CLUSTER for address in servers(one)}
    for one in objects:
        if one.type == ACCOUNT and one.scope in projects:
            about = reveal(one.inputs)["metadata"]
            annotation = (about.get("annotations") or {}).get(ANNOTATION)
            yield pods.PodAccount(projects[one.scope], about["namespace"], about["name"], annotation)


def made_beside(environments: Mapping[str, StackConfig]) -> dict[str, str]:
    """Google accounts that a person makes for this repository's own pipeline, with the page that says how."""
    platforms = [one.jenkins.platform for one in environments.values() if one.jenkins and one.jenkins.platform]
    emails = [getattr(platform, part).account for platform in platforms for part in _OF_PLATFORM]
    return {email: "docs/previews.md" for email in emails if email}


def _model(home: Home, objects: Sequence[CloudObject]) -> AccessModel:
    environments = read_all(home.project.stacks)
    if not objects:
        raise AccessError("the sandbox is empty, so there is no binding to look at; run `atwork sandbox up`")
    numbers = {one.project.id: one.project.number for one in environments.values() if one.project.number is not None}
    return simulated.model(objects, numbers).join(planned.model(_plans(home, environments)))


def _plans(home: Home, environments: Mapping[str, StackConfig]) -> list[Plan]:
    stacks = home.project.stacks
    return [plans.of(name, stacks) for name in environments] if (stacks / "platform.yaml").exists() else []


def _is_up(objects: Sequence[CloudObject], config: StackConfig) -> bool:
    start = f"projects/{config.project.id}/"
    return any(one.type == CLUSTER and one.id.startswith(start) for one in objects)


def _place(name: str, config: StackConfig, objects: Sequence[CloudObject]) -> duties.Place:
    project = config.project
    number = project.number or next(
        (
            str(one.outputs["number"])
            for one in objects
            if one.type == simulated.PROJECT and one.id == f"projects/{project.id}"
        ),
        "",
    )
    google = [one for one in objects if one.type.startswith("gcp:")]
    return duties.Place(name, config, simulated.agents(google, project.id, number), simulated.keys(google, project.id))
