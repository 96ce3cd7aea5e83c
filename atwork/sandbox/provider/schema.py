"""The schema of each resource type, read from the installed SDKs by introspection and cached on disk.

A type is written as a JSON value: "string", "integer", "number", "boolean", "any", or {"list": T}, {"map": T},
{"object": NAME}, {"enum": [...]}, {"union": [...]}. Importing a large service module takes a second and 60 MB, so
schemas are kept in the shared cache, and a later run imports no SDK.
"""

from __future__ import annotations

import collections.abc
import hashlib
import importlib
import inspect
import json
import re
import threading
import typing
from enum import Enum
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

from atwork.files import cache_folder, replace_file

_PACKAGES = {"gcp": "pulumi_gcp", "kubernetes": "pulumi_kubernetes"}
_READING = threading.RLock()
"""The SDKs import their modules on first access, and a second thread would see a partly initialized module."""
_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


_CUSTOM = re.compile(r"kubernetes:(?P<group>[a-z0-9-]+(?:\.[a-z0-9-]+)+)/(?P<version>v[a-z0-9]+):(?P<kind>[A-Z]\w+)")
"""Types of objects whose kind a cluster has by a CustomResourceDefinition."""


class ObjectSchema(TypedDict):
    """Properties of an object: their types, and which are required."""

    properties: dict[str, Any]
    required: list[str]


class ResourceSchema(TypedDict):
    """A resource type: inputs, outputs, and the objects that both refer to."""

    inputs: ObjectSchema
    outputs: dict[str, Any]
    objects: dict[str, ObjectSchema]


class UnknownType(Exception):
    """No installed SDK has the resource type."""


@cache
def _cache(package: str) -> Path:
    sdk = _PACKAGES[package].replace("_", "-")
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return cache_folder() / "schema" / f"{sdk}-{version(sdk)}-{code}"


@cache
def resource(token: str) -> ResourceSchema:
    """The schema of a resource type; `UnknownType` if the SDK does not have it."""
    package = token.partition(":")[0]
    cached = _cache(package) / f"{hashlib.sha256(token.encode()).hexdigest()[:24]}.json"
    try:
        return json.loads(cached.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        with _READING:
            resource_schema = (
                _custom(*custom.groups())
                if package == "kubernetes" and (custom := _CUSTOM.fullmatch(token)) and not _in_sdk(custom["group"])
                else _Reader().resource(_class(token), is_provider=token.startswith("pulumi:providers:"))
            )
    cached.parent.mkdir(parents=True, exist_ok=True)
    replace_file(cached, json.dumps(resource_schema))
    return resource_schema


@cache
def provider(package: str) -> ResourceSchema:
    """The schema of the provider of a package."""
    with _READING:
        return _Reader().resource(importlib.import_module(_PACKAGES[package]).Provider, is_provider=True)


def tokens(package: str) -> list[str]:
    """All resource types of a package."""
    with _READING:
        return sorted(_modules(package))


@cache
def _modules(package: str) -> dict[str, tuple[str, str]]:
    """Python module and class of each token, as the SDK registers them."""
    importlib.import_module(_PACKAGES[package])
    from pulumi.runtime import rpc

    registered: dict[str, list[Any]] = rpc._RESOURCE_MODULES  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  (no public way to list them)
    classes: dict[str, tuple[str, str]] = {}
    for modules in registered.values():
        for module in modules:
            info: dict[str, Any] = getattr(module, "mod_info", {})
            if info.get("pkg") == package:
                classes |= {token: (info["fqn"], name) for token, name in info["classes"].items()}
    return classes


def _in_sdk(group: str) -> bool:
    """Whether the SDK has types of a group of the Kubernetes API."""
    return any(token.startswith(f"kubernetes:{group}/") for token in _modules("kubernetes"))


def _custom(group: str, version: str, kind: str) -> ResourceSchema:
    """The schema of an object of a custom kind: metadata as every object has, and any other content."""
    metadata = _Reader()
    known = metadata.resource(_class("kubernetes:core/v1:Namespace"), is_provider=False)
    properties: dict[str, Any] = {
        "apiVersion": {"enum": [f"{group}/{version}"]},
        "kind": {"enum": [kind]},
        "metadata": known["inputs"]["properties"]["metadata"],
        "spec": "any",
    }
    outputs = {**properties, "metadata": known["outputs"]["metadata"], "status": "any"}
    inputs = ObjectSchema(properties=properties, required=["apiVersion", "kind"])
    return {"inputs": inputs, "outputs": outputs, "objects": known["objects"]}


def _class(token: str) -> type:
    try:
        module, name = _modules(token.partition(":")[0])[token]
    except KeyError:
        raise UnknownType(token) from None
    return getattr(importlib.import_module(module), name)


def _sdk_types() -> Any:
    """The SDK's introspection of its classes: private, pinned with the SDK, and imported only when needed."""
    return importlib.import_module("pulumi._types")


class _Reader:
    def __init__(self) -> None:
        self.objects: dict[str, ObjectSchema] = {}

    def resource(self, cls: type, *, is_provider: bool) -> ResourceSchema:
        module = importlib.import_module(cls.__module__)
        arguments = getattr(module, f"{cls.__name__}InitArgs", None) or getattr(module, f"{cls.__name__}Args")
        outputs = {} if is_provider else {k: self.type(t) for k, t in _sdk_types().resource_types(cls).items()}
        return {"inputs": self.object(arguments), "outputs": outputs, "objects": self.objects}

    def object(self, cls: type) -> ObjectSchema:
        names: dict[str, str] = _sdk_types().input_type_py_to_pulumi_names(cls)
        parameters = inspect.signature(cls.__init__).parameters.values()
        required = [names[p.name] for p in parameters if p.name in names and p.default is inspect.Parameter.empty]
        properties = {key: self.type(hint) for key, hint in _sdk_types().input_type_types(cls).items()}
        return {"properties": properties, "required": required}

    def type(self, hint: Any) -> Any:
        hint = _sdk_types().unwrap_type(hint) if not isinstance(hint, type) else hint
        if hint in _SCALARS:
            return _SCALARS[hint]
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (list, collections.abc.Sequence):
            return {"list": self.type(arguments[0])}
        if origin in (dict, collections.abc.Mapping):
            return {"map": self.type(arguments[1])}
        if origin is typing.Literal:
            return {"enum": list(arguments)}
        if origin is typing.Union:
            return self._union([self.type(argument) for argument in arguments if argument is not type(None)])
        if isinstance(hint, type) and issubclass(hint, Enum):
            return "string" if issubclass(hint, str) else "any"
        if isinstance(hint, type) and _sdk_types().is_input_type(hint):
            return self._named(hint, lambda: self.object(hint))
        if isinstance(hint, type) and _sdk_types().is_output_type(hint):
            return self._named(hint, lambda: self._output(hint))
        return "any"

    def _output(self, cls: type) -> ObjectSchema:
        return {"properties": {k: self.type(t) for k, t in _sdk_types().output_type_types(cls).items()}, "required": []}

    def _named(self, cls: type, read: Any) -> Any:
        name = f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"
        if name not in self.objects:
            self.objects[name] = {"properties": {}, "required": []}  # recursive types end here
            self.objects[name] = read()
        return {"object": name}

    @staticmethod
    def _union(options: list[Any]) -> Any:
        distinct = [option for index, option in enumerate(options) if option not in options[:index]]
        return distinct[0] if len(distinct) == 1 else {"union": distinct}
