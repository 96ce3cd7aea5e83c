"""Read YAML files and validate settings; `ConfigError` has one line for each problem, with file, key and fix."""

from __future__ import annotations

import difflib
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from infra import dates
from infra.errors import ConfigError

# libyaml's loader reads many environments ten times as fast; it is in all wheels of PyYAML.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_REPOSITORY = "stacks/platform.yaml states it (github.repository); remove it here"
_MOVED = {
    "jenkins.github_organization": _REPOSITORY,
    "jenkins.library.repository": _REPOSITORY,
    "jenkins.platform.repository": _REPOSITORY,
    "jenkins.platform.backend": "stacks/platform.yaml states it (admin_project or state_bucket); remove it here",
}
"""Keys that are known and belong elsewhere, with the fix."""

_RENAMED = {
    r"popups": "preview_namespaces",
    r"preview_namespaces\.namespaces": "count",
    r"(jenkins|external_ci)\.deploys\.[^.]+\.popups": "preview_namespaces",
    r"popup": "ephemeral",
}
"""Old keys of stack files and service files, as regular expressions, with the new key."""

Model = TypeVar("Model", bound=BaseModel)


def settings_from_json(model: type[Model], text: str, file: str, prefix: Sequence[str]) -> Model:
    """Settings from JSON text; `ConfigError` names the file and each wrong key, with `prefix` in front of the key."""
    with config_errors(model, file, prefix):
        return model.model_validate_json(text)


@contextmanager
def config_errors(model: type[BaseModel], file: str, prefix: Sequence[str]) -> Generator[None]:
    """Turn mistakes in settings into a `ConfigError` that names the file and each wrong key."""
    try:
        yield
    except ValidationError as error:
        raise ConfigError("\n".join(_messages(model, file, prefix, error))) from None


def stated(settings: BaseModel) -> dict[str, Any]:
    """The fields that a file states, as the models that they are."""
    return {name: getattr(settings, name) for name in settings.model_fields_set}


def _messages(model: type[BaseModel], file: str, prefix: Sequence[str], error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        path = [*prefix, *(str(part) for part in problem["loc"] if part != "[key]")]
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            key = ".".join(path[len(prefix) :])
            message = _MOVED.get(key) or _renamed(key) or f"unknown key{_nearest(model, path)}"
        elif problem["type"] == "missing":
            message = "missing; add it"
        yield f"{file}: {'.'.join(path)}: {message}" if path else f"{file}: {message}"


def _renamed(key: str) -> str | None:
    new = next((new for old, new in _RENAMED.items() if re.fullmatch(old, key)), None)
    return f"it is now called {new}; rename it" if new else None


def _nearest(model: type[BaseModel], path: list[str]) -> str:
    schema: Any = model.model_json_schema()
    known = {name for part in (schema, *schema["$defs"].values()) for name in part.get("properties", {})}
    near = difflib.get_close_matches(path[-1], known, n=1)
    return f"; did you mean {near[0]}?" if near else "; remove it (schema.json next to the file lists what there is)"


def read_yaml(path: Path, shown: str) -> dict[str, Any]:
    """A YAML file that is a map of plain data without dates (infra/dates.py); `shown` is its name in messages."""
    try:
        loader = _LOADER(path.read_text())
        root = loader.get_single_node()
        wrong = "\n".join(dates.mistakes(root, shown))
        loaded: object = None if root is None or wrong else loader.construct_document(root)
    except FileNotFoundError:
        raise ConfigError(f"{shown}: file not found; copy an existing one") from None
    except yaml.YAMLError as error:
        where = str(error).replace("\n", " ")
        raise ConfigError(f"{shown}: not YAML: {where}") from None
    if wrong:
        raise ConfigError(wrong)
    if not isinstance(loaded, dict):
        raise ConfigError(f"{shown}: must be a map of keys to values")
    return loaded
