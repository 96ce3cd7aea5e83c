"""Pulumi's mocks, with plain data to assert on.

`record(program)` runs a program that declares resources and returns what it declared. Three things differ from the
SDK's own monitor: outputs that components register are kept, data sources are refused (the program has none), and
whole numbers, which the wire carries as floats, come back as integers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

from google.protobuf import json_format
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_pulumi_func


@dataclass
class Recorded:
    """One resource as it was registered; `inputs` is plain data with Pulumi's property names."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    custom: bool
    parent: str
    provider: str
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    depends_on: tuple[str, ...]
    outputs: dict[str, Any] | None = None
    """What the component passed to `register_outputs`; None until it has."""


@dataclass
class Recording:
    """All resources of one run, by URN and in the order of registration."""

    resources: dict[str, Recorded] = field(default_factory=dict[str, Recorded])

    def of_type(self, token: str) -> dict[str, Recorded]:
        """Resources of one type by logical name."""
        return {found.name: found for found in self.resources.values() if found.type == token}

    def one(self, token: str, name: str) -> Recorded:
        """The resource of that type and logical name; `KeyError` lists the names there are."""
        found = self.of_type(token)
        if name not in found:
            raise KeyError(f"no {token} called {name}; there are {', '.join(sorted(found)) or 'none'}")
        return found[name]

    def components(self) -> list[Recorded]:
        """Every component, in order."""
        return [found for found in self.resources.values() if not found.custom]


Outputs = Callable[[str, str, dict[str, Any]], Mapping[str, Any]]
"""From type, logical name and inputs to the outputs that the cloud would add to the inputs."""


def nothing_added(_token: str, _name: str, _inputs: dict[str, Any]) -> Mapping[str, Any]:
    """Outputs are the inputs."""
    return {}


class _Cloud(mocks.Mocks):
    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        inputs = cast("dict[str, Any]", args.inputs)
        return f"{args.name}-id", {**inputs, **self._outputs(args.typ, args.name, plain(inputs))}

    def call(self, args: mocks.MockCallArgs) -> NoReturn:
        raise AssertionError(f"{args.token} is a data source; the program has none (docs/adr)")


class _Monitor(mocks.MockMonitor):
    """Keeps what the SDK's monitor throws away: registered outputs, options and dependencies."""

    def __init__(self, cloud: mocks.Mocks) -> None:
        super().__init__(cloud)
        self.recording = Recording()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name of the gRPC method
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.recording.resources[response.urn] = Recorded(
                urn=response.urn,
                type=request.type,
                name=request.name,
                inputs=plain(rpc.deserialize_properties(request.object)),
                custom=request.custom,
                parent=request.parent,
                provider=request.provider,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                ignore_changes=tuple(request.ignoreChanges),
                depends_on=tuple(request.dependencies),
            )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name of the gRPC method
        if request.urn in self.recording.resources:
            outputs = plain(rpc.deserialize_properties(request.outputs, keep_unknowns=True))
            self.recording.resources[request.urn].outputs = outputs
        return super().RegisterResourceOutputs(request)


def plain(value: Any) -> Any:
    """The value without secret marks, and with whole floats as integers."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            found = cast("dict[str, Any]", value)
            if rpc.is_rpc_secret(found):
                return plain(rpc.unwrap_rpc_secret(found))
            return {key: plain(item) for key, item in found.items()}
        case list():
            return [plain(item) for item in cast("list[Any]", value)]
        case _:
            return value


def record(
    program: Callable[[], object],
    *,
    outputs: Outputs = nothing_added,
    project: str = "atwork",
    stack: str = "test",
    preview: bool = False,
) -> Recording:
    """Run `program` as the engine would, and return all that it registered; its exceptions come through."""
    monitor = _Monitor(_Cloud(outputs))

    async def run() -> None:
        # Inside the loop: the SDK makes its first tasks as soon as it is configured.
        mocks.set_mocks(monitor.mocks, project=project, stack=stack, preview=preview, monitor=monitor)
        await run_pulumi_func(lambda: _finish(program))

    asyncio.run(run())
    return monitor.recording


def _finish(program: Callable[[], object]) -> None:
    program()
