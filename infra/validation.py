"""Validate settings: a `ConfigError` has one line in words for each mistake, with file, key and fix."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from infra.errors import ConfigError
from infra.keys import unknown_key
from infra.wrong_values import wrong_value

Model = TypeVar("Model", bound=BaseModel)


def settings_from_json(model: type[Model], text: str, file: str, prefix: Sequence[str]) -> Model:
    """Settings from JSON text; `ConfigError` names the file and each wrong key, with `prefix` in front of the key."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError("\n".join(_messages(model, file, prefix, error, json.loads(text)))) from None


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


def _messages(
    model: type[BaseModel],
    file: str,
    prefix: Sequence[str],
    error: ValidationError,
    document: object = None,
) -> Iterator[str]:
    unknown: dict[tuple[str, ...], str] = {}
    meant: set[tuple[str, ...]] = set()
    lists = {tuple(map(str, problem["loc"][:-1])) for problem in error.errors()}
    for problem in error.errors():
        if problem["type"] == "extra_forbidden":
            path = tuple(map(str, problem["loc"]))
            near, unknown[path] = unknown_key(model, path, _keys(document, path[:-1]))
            meant.add((*path[:-1], near))
    for problem in error.errors():
        path = tuple(str(part) for part in problem["loc"] if part != "[key]")
        if problem["type"] == "missing" and path in meant:
            continue  # the misspelled key is reported
        if problem["type"] == "too_short" and path in lists:
            continue  # the entry that is not counted is reported
        message = unknown.get(path) or wrong_value(model, problem)
        where = ".".join((*prefix, *path))
        yield f"{file}: {where}: {message}" if where else f"{file}: {message}"


def _keys(document: object, path: Sequence[str]) -> set[str]:
    """The keys that a document has at a path."""
    for part in path:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list):
            document = document[int(part)]
    return set(document) if isinstance(document, dict) else set()
