"""Settings with other values, validated as the values of a file: a test cannot use what the program refuses."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TypeVar

from atwork.environments import derive
from components.settings import Settings
from infra.config import STACKS, parse, read_file
from infra.stack import StackConfig
from infra.validation import stated

Model = TypeVar("Model", bound=Settings)


def changed(settings: Model, **values: Any) -> Model:
    """The settings with these values in place of their own."""
    return type(settings).model_validate(stated(settings) | values)


def ephemeral(stack: str, created: datetime, expires: datetime) -> StackConfig:
    """A long-lived stack as an ephemeral one."""
    document: dict[str, Any] = json.loads(read_file(STACKS / f"Pulumi.{stack}.yaml"))
    settings = derive.ephemeral(document, created=created, expires=expires)
    settings["environment"]["owner"] = document["environment"]["owner"]
    settings["network"] |= {key: document["network"][key] for key in ("nodes", "pods")}
    return parse(stack, json.dumps(settings))
