"""The smallest environment, and environments that each have an example of the settings reference in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel
from support.mocks import Recording
from support.program import PLATFORM, cloud, run_stack

from components.delivery import deployer_key, preview_key
from infra import CONFIG_KEY
from infra.config import parse
from infra.reference.sections import EXAMPLES, SettingsSection, models, read_example
from infra.validation import settings_from_json

REQUIRED = ("environment", "project", "network", "node_pools")
"""Sections without which a stack file is refused."""

STACK = "example"
Document = dict[str, Any]


def smallest() -> Document:
    """A stack file with nothing but what is required."""
    document: Document = {"region": "europe-west1"}
    for section in REQUIRED:
        document |= read_example(EXAMPLES / f"{section}.least.yaml")
    return document


def read(section: SettingsSection, example: Document) -> BaseModel:
    """The settings of an example: those of its file, or those of the smallest stack file with its keys."""
    if not section.key:
        return settings_from_json(section.model, json.dumps(example), section.file, ())
    return parse(STACK, json.dumps(smallest() | example))


def run(document: Document, folder: Path) -> Recording:
    """What the program declares for a stack file among the other environments that it refers to."""
    stacks, catalog = folder / "stacks", folder / "services"
    stacks.mkdir(parents=True)
    catalog.mkdir()
    for name, environment in {STACK: document, **_others(document)}.items():
        text = yaml.safe_dump({"config": {CONFIG_KEY: environment}})
        (stacks / f"Pulumi.{name}.yaml").write_text(text)
    (stacks / "platform.yaml").write_text((EXAMPLES / "platform.least.yaml").read_text())
    for name in document["environment"].get("services", []):
        (catalog / f"{name}.yaml").write_text((EXAMPLES / "service.least.yaml").read_text())
    return run_stack(STACK, root=folder, outputs=_outputs)


def _outputs(token: str, name: str, inputs: Document) -> Document:
    """What the cloud adds, and what the upstream environment publishes for the example's."""
    if token == "gcp:organizations/project:Project":
        return {"number": smallest()["project"]["number"]}
    if token != "pulumi:pulumi:StackReference":
        return dict(cloud(token, name, inputs))
    deployers = {deployer_key(STACK): "principal://deployer", preview_key(STACK): "principal://previews"}
    return {"outputs": {"platform": {**PLATFORM, "deployers": deployers}}}


def _others(document: Document) -> dict[str, Document]:
    """The environment that a stack file pulls from, and those that it deploys to."""
    others: dict[str, Document] = {}
    if document["environment"].get("services"):
        others["staging"] = _other(9)  # where the example's services run, too
    if upstream := document.get("upstream"):
        others[upstream] = _other(1, external_ci=_deploys(document), registry={"location": "europe"})
        if "attestation" in document.get("binary_authorization", {}):
            signing = read_example(EXAMPLES / "release_signing.most.yaml")
            signing["jenkins"]["deploys"] = {STACK: {"approvers": ["ada@example.com"]}}
            others[upstream] = _other(1, **signing)
    delivery = document.get("jenkins") or document.get("external_ci") or {}
    for number, (target, deploy) in enumerate(delivery.get("deploys", {}).items(), 2):
        previews = {"preview_namespaces": {}} if "preview_namespaces" in deploy else {}
        tier = {} if deploy.get("approvers") else {"tier": "test"}
        environment = {**smallest()["environment"], **tier}
        others[target] = _other(number, environment=environment, upstream=STACK, **previews)
        if account := deploy.get("account"):
            others[target]["project"]["id"] = account.partition("@")[2].partition(".")[0]
    return others


def _other(number: int, **sections: Any) -> Document:
    project = {"id": f"acme-other-{number}", "number": f"48201573091{number}"}
    network = {"nodes": f"10.{number}.0.0/20", "pods": f"10.{128 + number}.0.0/18"}
    return {**smallest(), "project": project, "network": network, **sections}


def _deploys(document: Document) -> Document:
    """A CI system that deploys to the example's environment."""
    member = "serviceAccount:ci@acme-admin.iam.gserviceaccount.com"
    previews = {"preview_namespaces": member} if "preview_namespaces" in document else {}
    return {"builders": {"all": member}, "deploys": {STACK: {"releases": member, **previews}}}


def settings(model: type[BaseModel]) -> Iterator[tuple[type[BaseModel], str]]:
    """Every setting of a model and of the models in it."""
    for name, field in model.model_fields.items():
        yield model, name
        for inner in models(field.annotation):
            yield from settings(inner)


def stated(value: object) -> Iterator[tuple[type[BaseModel], str]]:
    """The settings that are written in a file, from the model that was read from it."""
    match value:
        case BaseModel():
            for name in value.model_fields_set:
                yield type(value), name
                yield from stated(getattr(value, name))
        case dict():
            for item in cast("dict[str, object]", value).values():
                yield from stated(item)
        case tuple():
            for item in cast("tuple[object, ...]", value):
                yield from stated(item)
        case _:
            pass
