"""Pulumi's mocks, with plain data to assert on.

`record(program)` runs a program that declares resources and returns what it declared. Three things differ from the
SDK's own monitor: outputs that components register are kept, data sources are refused (the program has none), and
integers, which the protocol sends as floats, come back as integers.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast
from unittest.mock import patch

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2
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
    delete_before_replace: bool | None
    """What the program asks the engine for; None leaves the order to the provider."""
    aliases: tuple[tuple[str, str], ...]
    """Earlier names and types of the resource."""
    outputs: dict[str, Any] | None = None
    """What the component passed to `register_outputs`; None until it has."""


@dataclass
class Recording:
    """All resources of one run, by URN and in the order of registration."""

    resources: dict[str, Recorded] = field(default_factory=dict[str, Recorded])
    exports: dict[str, Any] = field(default_factory=dict[str, Any])
    """The outputs of the stack."""

    def of_type(self, token: str) -> dict[str, Recorded]:
        """Resources of one type by logical name."""
        return {resource.name: resource for resource in self.resources.values() if resource.type == token}

    def resource(self, token: str, name: str) -> Recorded:
        """The resource of that type and logical name; `KeyError` lists the existing names."""
        resources = self.of_type(token)
        if name not in resources:
            raise KeyError(f"no {token} called {name}; there are {', '.join(sorted(resources)) or 'none'}")
        return resources[name]

    def components(self) -> list[Recorded]:
        """Every component, in order."""
        return [resource for resource in self.resources.values() if not resource.custom]


@contextmanager
def unchanged(recordings: dict[str, Recording]) -> Generator[dict[str, Recording]]:
    """Recordings that tests share; an error at the end names what one of them changed."""
    before = copy.deepcopy(recordings)
    yield recordings
    changed = [
        f"{stack}: {urn.rpartition('::')[2]}"
        for stack, recording in before.items()
        for urn in recording.resources.keys() | recordings[stack].resources.keys()
        if recording.resources.get(urn) != recordings[stack].resources.get(urn)
    ]
    changed += [f"{stack}: its outputs" for stack in before if before[stack].exports != recordings[stack].exports]
    assert not changed, f"a test changed what all tests share, and must copy it first: {', '.join(sorted(changed))}"


Outputs = Callable[[str, str, dict[str, Any]], Mapping[str, Any]]
"""From type, logical name and inputs to the outputs that the cloud would add to the inputs; `id` is optional."""


def nothing_added(_token: str, _name: str, _inputs: dict[str, Any]) -> Mapping[str, Any]:
    """Outputs are the inputs."""
    return {}


class _Cloud(mocks.Mocks):
    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        inputs = cast("dict[str, Any]", args.inputs)
        outputs = dict(self._outputs(args.typ, args.name, plain_map(inputs)))
        return outputs.pop("id", f"{args.name}-id"), {**inputs, **outputs}

    def call(self, args: mocks.MockCallArgs) -> NoReturn:
        raise AssertionError(f"{args.token} is a data source; the program has none (docs/adr)")


class _Monitor(mocks.MockMonitor):
    """Keeps what the SDK's monitor throws away: registered outputs, options and dependencies."""

    def __init__(self, cloud: mocks.Mocks) -> None:
        super().__init__(cloud)
        self.recording = Recording()

    def RegisterResource(  # noqa: N802 - the name of the gRPC method
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.recording.resources[response.urn] = Recorded(
                urn=response.urn,
                type=request.type,
                name=request.name,
                inputs=plain_map(rpc.deserialize_properties(request.object)),
                custom=request.custom,
                parent=request.parent,
                provider=request.provider,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                ignore_changes=tuple(request.ignoreChanges),
                depends_on=tuple(request.dependencies),
                aliases=tuple((alias.spec.name, alias.spec.type) for alias in request.aliases),
                delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
            )
        return response

    def RegisterResourceOutputs(  # noqa: N802 - the name of the gRPC method
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        if request.urn in self.recording.resources:
            outputs = plain_map(rpc.deserialize_properties(request.outputs, keep_unknowns=True))
            self.recording.resources[request.urn].outputs = outputs
        return super().RegisterResourceOutputs(request)


def plain(value: object) -> object:
    """The value without secret marks, and with integral floats as integers."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return plain_map(cast("dict[str, object]", value))
        case list():
            return [plain(item) for item in cast("list[object]", value)]
        case _:
            return value


def plain_map(value: dict[str, Any]) -> dict[str, Any]:
    """`plain` for properties."""
    return {key: plain(rpc.unwrap_rpc_secret(item)) for key, item in value.items()}


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

    def declare() -> None:
        exports: dict[str, Any] = {}
        with patch.object(pulumi, "export", exports.__setitem__):  # without a stack as their parent, the SDK drops them
            program()
        pulumi.Output.from_input(exports).apply(monitor.recording.exports.update)

    async def run() -> None:
        loops: list[asyncio.AbstractEventLoop] = []

        def loop_of_worker() -> None:
            loops.append(asyncio.new_event_loop())
            asyncio.set_event_loop(loops[-1])

        # The SDK registers resources in worker threads, each with an event loop that nobody closes. One worker whose
        # loop is ours also makes the order of registration the same in every run.
        worker = ThreadPoolExecutor(max_workers=1, initializer=loop_of_worker)
        asyncio.get_running_loop().set_default_executor(worker)
        try:
            mocks.set_mocks(monitor.mocks, project=project, stack=stack, preview=preview, monitor=monitor)
            await run_pulumi_func(declare)
        finally:
            worker.shutdown()
            for loop in loops:
                loop.close()

    asyncio.run(run())
    return monitor.recording
