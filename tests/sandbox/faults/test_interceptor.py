"""What an engine hears when a call meets a fault, over gRPC as the engine hears it."""

from __future__ import annotations

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2
from support.simulation import Provider, providers

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.faults.model import Call, Effect, Fault, Operation
from atwork.sandbox.faults.store import FaultStore
from atwork.sandbox.provider.values import from_struct

NETWORK = "gcp:compute/network:Network"
NAMESPACE = "kubernetes:core/v1:Namespace"
ID = "projects/acme/global/networks/vpc"


def half_done(error: grpc.RpcError) -> provider_pb2.ErrorResourceInitFailed:
    """What the error says of the object, from where the engine reads it."""
    result: Any = error.trailing_metadata()
    [details] = [value for key, value in result if key == "grpc-status-details-bin"]
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(details).details[0].Unpack(failed)
    return failed


class Sandbox:
    def __init__(self, folder: Path, served: dict[str, Provider]) -> None:
        self.google, self.kubernetes = served["gcp"], served["kubernetes"]
        self.faults, self.cloud = FaultStore(folder / "faults.sqlite"), Cloud(folder / "cloud.sqlite")

    def refused(self, name: str = "vpc") -> grpc.RpcError:
        with pytest.raises(grpc.RpcError) as caught:
            self.google.create(NETWORK, name, {"name": name})
        return caught.value


@pytest.fixture
def sandbox(tmp_path: Path) -> Generator[Sandbox]:
    with providers(tmp_path / "cloud.sqlite") as served:
        yield Sandbox(tmp_path, served)


def networks(sandbox: Sandbox) -> list[str]:
    return [item.id for item in sandbox.cloud.objects(token=NETWORK)]


def test_a_failed_call_changes_nothing_and_the_next_call_succeeds(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(effect=Effect.fail, type=NETWORK))
    assert "googleapi: Error 503" in str(sandbox.refused().details())
    assert networks(sandbox) == []
    assert sandbox.google.create(NETWORK, "vpc", {"name": "vpc"})[0] == ID


def test_previews_hit_no_faults_and_do_not_count(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(effect=Effect.fail, always=True))
    sandbox.google.create(NETWORK, "vpc", {"name": "vpc"}, preview=True)
    assert sandbox.faults.all()[0].seen == 0


def test_the_quota_error_has_googles_wording(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(effect=Effect.quota))
    reported = "googleapi: Error 403: Quota 'NETWORKS' exceeded. Limit: 5.0 in region europe-west1., quotaExceeded"
    assert sandbox.refused().details() == reported


def test_a_partial_create_leaves_the_object_and_returns_its_state(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(effect=Effect.partial, message="not ready"))
    error = sandbox.refused()
    assert networks(sandbox) == [ID]
    assert error.code() is grpc.StatusCode.UNKNOWN
    failed = half_done(error)
    assert (failed.id, list(failed.reasons)) == (ID, ["not ready"])
    assert from_struct(failed.inputs)["name"] == "vpc"
    assert from_struct(failed.properties)["selfLink"].endswith(ID)


def test_a_partial_update_keeps_the_id(sandbox: Sandbox) -> None:
    sandbox.google.create(NETWORK, "vpc", {"name": "vpc"})
    sandbox.faults.add(Fault(effect=Effect.partial, operation=Operation.update))
    with pytest.raises(grpc.RpcError) as caught:
        sandbox.google.update(NETWORK, "vpc", ID, {"name": "vpc", "description": "new"})
    assert half_done(caught.value).id == ID
    result = sandbox.cloud.get("", NETWORK, ID)
    assert result is not None
    assert result.inputs["description"] == "new"


def test_a_hanging_call_ends_after_the_timeout_of_the_provider(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(effect=Effect.hang, seconds=0.2))
    error = sandbox.refused()
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert str(error.details()).endswith("(last state: 'RUNNING', timeout: 0.2s)")


def test_a_hanging_call_ends_when_the_engine_cancels(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(effect=Effect.hang, seconds=600))
    with ThreadPoolExecutor(1) as pool:
        refused = pool.submit(sandbox.refused)
        while not sandbox.faults.all()[0].hits:
            time.sleep(0.01)
        sandbox.google.stub.Cancel(empty_pb2.Empty())
    assert refused.result().code() is grpc.StatusCode.CANCELLED
    assert networks(sandbox) == []


def test_a_call_that_is_counted_before_the_engine_cancels_and_waits_after_it_ends_too(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = FaultStore.count

    def canceled_meanwhile(store: FaultStore, call: Call) -> list[Fault]:
        faults = count(store, call)
        sandbox.google.stub.Cancel(empty_pb2.Empty())
        return faults

    monkeypatch.setattr(FaultStore, "count", canceled_meanwhile)
    sandbox.faults.add(Fault(effect=Effect.hang, seconds=5))
    assert sandbox.refused().code() is grpc.StatusCode.CANCELLED


def test_a_slow_call_can_fail_too(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(effect=Effect.fail, message="down"))
    sandbox.faults.add(Fault(effect=Effect.slow, seconds=0.05))
    assert sandbox.refused().details() == "down"
    assert [item.hits for item in sandbox.faults.all()] == [1, 1]
    sandbox.faults.clear()
    sandbox.faults.add(Fault(effect=Effect.slow, seconds=0.05))
    assert sandbox.google.create(NETWORK, "vpc", {"name": "vpc"})[0] == ID


def test_an_unreachable_api_server_fails_the_calls_for_its_objects(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity, _ = sandbox.kubernetes.create(NAMESPACE, "team", {"metadata": {"name": "team"}})
    sandbox.faults.add(Fault(effect=Effect.unreachable, operation=Operation.any, stack="test", always=True))
    with pytest.raises(grpc.RpcError, match="configured Kubernetes cluster is unreachable: unable to load schema"):
        sandbox.kubernetes.read(NAMESPACE, "team", identity)
    sandbox.google.create(NETWORK, "vpc", {"name": "vpc"})
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert sandbox.kubernetes.read(NAMESPACE, "team", identity) is None
    with pytest.raises(grpc.RpcError, match="unreachable"):
        sandbox.kubernetes.create(NAMESPACE, "other", {"metadata": {"name": "other"}})


def test_a_damaged_file_of_faults_is_reported_to_the_engine(sandbox: Sandbox) -> None:
    sandbox.faults.path.write_bytes(b"not a database" * 100)
    assert "remove the file, then add the faults again" in str(sandbox.refused().details())
