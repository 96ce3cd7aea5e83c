"""Drives the simulated providers over gRPC, as the engine does."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from atwork.sandbox import simulation
from atwork.sandbox.provider import schema
from atwork.sandbox.provider.values import from_struct, to_struct


class Provider:
    """One provider of one package, configured."""

    def __init__(self, stub: provider_pb2_grpc.ResourceProviderStub, config: dict[str, Any]) -> None:
        self.stub = stub
        stub.Configure(provider_pb2.ConfigureRequest(args=to_struct(config), acceptSecrets=True))

    @staticmethod
    def urn(token: str, name: str) -> str:
        return f"urn:pulumi:test::atwork::{token}::{name}"

    def check(
        self, token: str, name: str, inputs: dict[str, Any], old: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=self.urn(token, name), olds=to_struct(old or {}), news=to_struct(inputs), randomSeed=b"seed"
            )
        )
        return from_struct(answer.inputs), [f"{failure.property}: {failure.reason}" for failure in answer.failures]

    def create(
        self, token: str, name: str, inputs: dict[str, Any], *, preview: bool = False
    ) -> tuple[str, dict[str, Any]]:
        checked, failures = self.check(token, name, inputs)
        assert failures == []
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=self.urn(token, name), properties=to_struct(checked), preview=preview)
        )
        return answer.id, from_struct(answer.properties)

    def diff(
        self, token: str, name: str, old: dict[str, Any], new: dict[str, Any], state: dict[str, Any] | None = None
    ) -> Any:
        before, _ = self.check(token, name, old)
        after, failures = self.check(token, name, new, before)
        assert failures == []
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                urn=self.urn(token, name),
                id="x",
                olds=to_struct(state or {}),
                old_inputs=to_struct(before),
                news=to_struct(after),
            )
        )

    def update(
        self, token: str, name: str, identity: str, inputs: dict[str, Any], state: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        checked, _ = self.check(token, name, inputs)
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                urn=self.urn(token, name), id=identity, olds=to_struct(state or {}), news=to_struct(checked)
            )
        )
        return from_struct(answer.properties)

    def read(self, token: str, name: str, identity: str) -> dict[str, Any] | None:
        answer = self.stub.Read(provider_pb2.ReadRequest(urn=self.urn(token, name), id=identity))
        return from_struct(answer.properties) if answer.id else None

    def delete(self, token: str, name: str, identity: str, inputs: dict[str, Any]) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(urn=self.urn(token, name), id=identity, old_inputs=to_struct(inputs))
        )


@contextmanager
def providers(path: Path) -> Generator[dict[str, Provider]]:
    """Both packages over one cloud file."""
    running = simulation.start(path)
    # The engine accepts the same size: the status of an object that is not ready contains the complete object.
    options = [(f"grpc.{limit}max_metadata_size", 2**24) for limit in ("", "absolute_")]
    channels = {name: grpc.insecure_channel(f"127.0.0.1:{port}", options) for name, port in running.ports.items()}
    try:
        gcp = Provider(
            provider_pb2_grpc.ResourceProviderStub(channels["gcp"]), {"project": "acme", "region": "europe-west1"}
        )
        kubeconfig = kubeconfig_of(gcp, "around-the-tests")
        yield {
            "gcp": gcp,
            "kubernetes": Provider(
                provider_pb2_grpc.ResourceProviderStub(channels["kubernetes"]),
                {"kubeconfig": kubeconfig, "enableConfigMapMutable": "true"},
            ),
        }
    finally:
        for channel in channels.values():
            channel.close()
        running.stop()


def kubeconfig_of(gcp: Provider, name: str, location: str = "europe-west1") -> str:
    """The kubeconfig of a cluster; creates the cluster if it does not exist."""
    token, identity = "gcp:container/cluster:Cluster", f"projects/acme/locations/{location}/clusters/{name}"
    outputs = gcp.read(token, name, identity)
    if outputs is None:
        _, outputs = gcp.create(token, name, {"name": name, "location": location, "deletionProtection": False})
    host = outputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"]
    return json.dumps({"clusters": [{"name": "c", "cluster": {"server": f"https://{host}"}}]})


def minimal(token: str) -> dict[str, Any]:
    """The smallest inputs that a type's schema accepts, generated from the schema."""
    resource = schema.resource(token)

    def value(kind: Any, depth: int) -> Any:
        if isinstance(kind, str):
            return {"string": "thing", "integer": 1, "number": 1.5, "boolean": True}.get(kind, "anything")
        shape, inner = next(iter(kind.items()))
        match shape:
            case "enum":
                return inner[0]
            case "union":
                return value(inner[0], depth)
            case "list":
                return [value(inner, depth + 1)]
            case "map":
                return {"key": value(inner, depth + 1)}
            case _:
                return inputs(resource["objects"][inner], depth + 1)

    def inputs(definition: schema.ObjectSchema, depth: int) -> dict[str, Any]:
        assert depth < 12, "a type that requires itself"
        return {key: value(definition["properties"][key], depth) for key in definition["required"]}

    return inputs(resource["inputs"], 0)
