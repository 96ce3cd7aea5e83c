"""Objects in real clusters: applied on the server's side, dry-run at preview, waited for, read back.

The simulated cloud keeps a note of each object that it was asked to make, so that what a kill leaves behind is found
again as for everything else. What an object is, the API server says.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2

from atwork.sandbox.cloud import AlreadyExists, Cloud, CloudObject
from atwork.sandbox.clusters.api import Api, ApiError, Place, Unreachable
from atwork.sandbox.clusters.blocked import reasons
from atwork.sandbox.provider.failures import abort_made
from atwork.sandbox.provider.kubernetes import RELEASE, Kubernetes, objects, ready
from atwork.sandbox.provider.kubernetes.live_releases import Releases
from atwork.sandbox.provider.package import Refused, Request
from atwork.sandbox.provider.servicer import Servicer, diff_response, plain_errors
from atwork.sandbox.provider.values import (
    UNKNOWN,
    Json,
    from_struct,
    has_unknown,
    is_unknown,
    keep_secret,
    reveal,
    to_struct,
)

_POLL_SECONDS = 0.25
_WAIT_SECONDS = 300
_GONE_SECONDS = 300
_SKIP = "pulumi.com/skipAwait"
_TIMEOUT = "pulumi.com/timeoutSeconds"
_KUBECTL = "kubectl"
Connect = Callable[[str], Api]


class Live(Servicer):
    """Package `kubernetes` over real API servers; `connect` makes a client from the provider's own kubeconfig."""

    def __init__(
        self, package: Kubernetes, cloud: Cloud, connect: Connect, authority: Callable[[str], Path | None]
    ) -> None:
        super().__init__(package, cloud)
        self._releases = Releases(package, cloud, authority, self._api)
        self._kubernetes = package
        self._connect = connect
        self._apis: dict[str, Api] = {}
        self._connecting = threading.Lock()
        self._engine: engine_pb2_grpc.EngineStub | None = None

    def Attach(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        del context
        channel = grpc.insecure_channel(request.address)
        self._engine = engine_pb2_grpc.EngineStub(channel)
        return empty_pb2.Empty()

    def close(self) -> None:
        """Give all connections back."""
        for api in self._apis.values():
            api.close()

    @plain_errors
    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        made = self._request(request, context, request.news)
        old = from_struct(request.old_inputs)
        found = self._changes(request, made, old)
        replaced = any(replaces for _, replaces in found)
        if not found or replaced or made.token == RELEASE or has_unknown(made.inputs) or not self._reached(made):
            return diff_response(found, delete_first=self._package.delete_first(made, old))
        api, place = self._at(made)
        live = api.get(place, *_where(made))
        if live is None:
            return diff_response(found, delete_first=False)
        try:
            then = api.apply(place, objects.body(made.inputs), manager=_manager(made), dry_run=True, force=True)
        except ApiError as error:
            fixed = _immutable(error)
            if not fixed:
                raise Refused(_words(made, error)) from None
            marked = [(change, replaces or change.path[0] in fixed) for change, replaces in found]
            return diff_response(marked, delete_first=self._package.delete_first(made, old))
        # The server's answer decides: 1000m and 1 are the same to it, and to everybody.
        if objects.comparable(live) == objects.comparable(then):
            return diff_response([], delete_first=False)
        return diff_response(found, delete_first=False)

    @plain_errors
    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        made = self._request(request, context, request.properties)
        if made.token == RELEASE:
            return self._releases.create(request, context, made) or super().Create(request, context)
        if request.preview:
            self._rehearse(made, self._new)
            told = self._expected(made, self._package.outputs(made, UNKNOWN))
            return provider_pb2.CreateResponse(properties=to_struct(told))
        self._package.reachable(made, self._cloud)
        scope, identity = self._package.identity(made)
        note = CloudObject(scope, made.token, identity, made.urn, made.inputs, {})
        self._note(note)
        try:
            live = self._told(made, lambda api, place: self._new(api, place, made, dry_run=False))
        except Refused:
            self._cloud.delete(scope, made.token, identity)
            raise
        outputs = self._settled(request, context, made, live, identity)
        return provider_pb2.CreateResponse(id=identity, properties=to_struct(outputs))

    @plain_errors
    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        made = self._request(request, context, request.inputs)
        if made.token == RELEASE:
            return self._releases.read(request, made) or super().Read(request, context)
        if self.let_go(made):
            return provider_pb2.ReadResponse()
        given = dict(made.inputs)
        namespace, _, name = str(request.id).rpartition("/")
        if not given:
            made = Request(made.token, made.urn, made.config, self._kubernetes.named(made, namespace, name))
        live = self._told(made, lambda api, place: api.get(place, namespace, name) or {})
        if not live:
            return provider_pb2.ReadResponse()
        before = from_struct(request.properties)
        inputs = objects.refreshed(given, before, live) if given else objects.imported(live)
        outputs = keep_secret({**objects.outputs(live), "id": request.id}, inputs)
        return provider_pb2.ReadResponse(id=request.id, inputs=to_struct(inputs), properties=to_struct(outputs))

    @plain_errors
    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        made = self._request(request, context, request.news)
        if made.token == RELEASE:
            return self._releases.update(request, context, made) or super().Update(request, context)
        if request.preview:
            answered = {**objects.outputs(self._rehearse(made, self._changed)), "id": request.id}
            told = self._expected(made, answered, from_struct(request.olds))
            return provider_pb2.UpdateResponse(properties=to_struct(told))
        self._package.reachable(made, self._cloud)
        live = self._told(made, lambda api, place: self._taken_over(api, place, made))
        scope = self._package.scope(made)
        self._cloud.update(CloudObject(scope, made.token, request.id, made.urn, made.inputs, {}), set())
        outputs = self._settled(request, context, made, live, request.id)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @plain_errors
    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        made = self._request(request, context, request.old_inputs)
        if made.token == RELEASE:
            self._releases.delete(request, made)
            return super().Delete(request, context)
        self._package.reachable(made, self._cloud)
        if made.token.endswith("Patch"):
            self._told(made, lambda api, place: self._given_back(api, place, made))
        else:
            self._told(made, lambda api, place: self._gone(api, place, made, request.timeout or _GONE_SECONDS))
        scope = self._package.scope(made)
        found = self._cloud.get(scope, made.token, request.id)
        if found is not None:
            self._package.gone(found, self._cloud)
        return empty_pb2.Empty()

    # What is done with the API

    def _new(self, api: Api, place: Place, made: Request, *, dry_run: bool) -> dict[str, Any]:
        body = objects.body(made.inputs)
        if not made.token.endswith("Patch") and api.get(place, *_where(made)) is not None:
            raise Refused(f'{place.plural} "{_where(made)[1]}" already exists; import it, or choose another name')
        return api.apply(place, body, manager=_manager(made), dry_run=dry_run)

    def _changed(self, api: Api, place: Place, made: Request, *, dry_run: bool) -> dict[str, Any]:
        return api.apply(place, objects.body(made.inputs), manager=_manager(made), dry_run=dry_run)

    def _taken_over(self, api: Api, place: Place, made: Request) -> dict[str, Any]:
        """Apply; fields that somebody set with kubectl are taken back, those of controllers are a conflict."""
        try:
            return self._changed(api, place, made, dry_run=False)
        except ApiError as error:
            holders = [str(one.get("message", "")) for one in error.causes]
            ours = all(one.startswith(f'conflict with "{_KUBECTL}') and "subresource" not in one for one in holders)
            if error.reason != "Conflict" or not holders or not ours:
                raise
            return api.apply(place, objects.body(made.inputs), manager=_manager(made), force=True)

    def _given_back(self, api: Api, place: Place, made: Request) -> dict[str, Any]:
        """A patch ends by owning nothing: the fields are the others' again."""
        namespace, name = _where(made)
        live = api.get(place, namespace, name)
        if live is None:
            return {}
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        body = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}
        return api.apply(place, body, manager=_manager(made))

    def _gone(self, api: Api, place: Place, made: Request, seconds: float) -> dict[str, Any]:
        namespace, name = _where(made)
        api.delete(place, namespace, name, propagation="Foreground")
        end = time.monotonic() + seconds
        said = ""
        while (live := api.get(place, namespace, name)) is not None:
            conditions = (live.get("status") or {}).get("conditions") or ()
            waits = [str(one.get("message", "")) for one in conditions if one.get("status") == "True"]
            holders = ", ".join(live["metadata"].get("finalizers") or ()) or "; ".join(filter(None, waits))
            if time.monotonic() > end:
                raise Refused(f"{place.plural} {name} is still there after {seconds:.0f} s: {holders or 'no reason'}")
            if holders and holders != said:
                said = holders
                self._say(made.urn, f"waiting until it is gone: {holders}")
            time.sleep(_POLL_SECONDS)
        return {}

    def _settled(
        self, request: Any, context: grpc.ServicerContext, made: Request, live: Mapping[str, Any], identity: str
    ) -> dict[str, Json]:
        """The object once it is ready; one that does not become so is kept in the state, with the reason."""
        api, place = self._at(made)
        annotations = (reveal(made.inputs).get("metadata") or {}).get("annotations") or {}
        seconds = float(request.timeout or annotations.get(_TIMEOUT) or _WAIT_SECONDS)
        end = time.monotonic() + seconds
        said = ""
        now = dict(live)
        while str(annotations.get(_SKIP)).lower() != "true" and (why := ready.unready(now)):
            if time.monotonic() > end:
                outputs = keep_secret({**objects.outputs(now), "id": identity}, made.inputs)
                told = f"{place.plural} {_where(made)[1]} is not ready after {seconds:.0f} s: {why}"
                abort_made(context, identity, made.inputs, outputs, [told, *reasons(api, _where(made)[0])])
            if why != said:
                said = why
                self._say(made.urn, f"waiting until it is ready: {why}")
            time.sleep(_POLL_SECONDS)
            now = api.get(place, *_where(made)) or now
        return keep_secret({**objects.outputs(now), "id": identity}, made.inputs)

    # Where it is done

    def _rehearse(self, made: Request, act: Callable[..., dict[str, Any]]) -> dict[str, Any]:
        """The object as the server would answer; empty where it cannot be asked yet, which is no error."""
        if has_unknown(made.inputs) or not self._reached(made):
            return {}
        try:
            api, place = self._at(made)
            return act(api, place, made, dry_run=True)
        except Unreachable:
            return {}
        except ApiError as error:
            # Its namespace or its kind comes in the same update, or is missing for good: the update will tell.
            if error.code != 404:
                raise Refused(_words(made, error)) from None
            return {}

    def _reached(self, made: Request) -> bool:
        """Whether the kubeconfig is known and its cluster is there."""
        if is_unknown(made.config.get("kubeconfig")) or "kubeconfig" not in made.config:
            return False
        try:
            self._package.reachable(made, self._cloud)
        except Refused:
            return False
        return True

    def _told(self, made: Request, act: Callable[[Api, Place], dict[str, Any]]) -> dict[str, Any]:
        try:
            return act(*self._at(made))
        except ApiError as error:
            raise Refused(_words(made, error)) from None

    def _at(self, made: Request) -> tuple[Api, Place]:
        inputs = reveal(made.inputs)
        api = self._api(str(reveal(made.config.get("kubeconfig"))))
        return api, api.place(str(inputs["apiVersion"]), str(inputs["kind"]))

    def _api(self, kubeconfig: str) -> Api:
        with self._connecting:
            if kubeconfig not in self._apis:
                self._apis[kubeconfig] = self._connect(kubeconfig)
            return self._apis[kubeconfig]

    def _note(self, note: CloudObject) -> None:
        try:
            self._cloud.create(note, set())
        except AlreadyExists:
            self._cloud.update(note, set())  # the server says whether it is really there

    def _say(self, urn: str, message: str) -> None:
        """Progress in the engine's own display; it is no matter where that cannot be told."""
        if self._engine is None:
            return
        try:
            self._engine.Log(
                engine_pb2.LogRequest(severity=engine_pb2.INFO, message=message, urn=urn, ephemeral=True), timeout=5
            )
        except grpc.RpcError:
            self._engine = None


def _where(made: Request) -> tuple[str, str]:
    metadata = reveal(made.inputs).get("metadata") or {}
    return str(metadata.get("namespace", "")), str(metadata["name"])


def _manager(made: Request) -> str:
    """The owner of the fields. A patch has one of its own, so that giving back takes nothing from another."""
    if made.token.endswith("Patch"):
        return f"pulumi-kubernetes-{hashlib.sha256(made.urn.encode()).hexdigest()[:8]}"
    return "pulumi-kubernetes"


def _immutable(error: ApiError) -> set[str]:
    """First parts of the fields that the server will not change."""
    if error.reason != "Invalid":
        return set()
    return {
        str(one.get("field", "")).partition(".")[0]
        for one in error.causes
        if "immutable" in str(one.get("message", "")) or "may not be changed" in str(one.get("message", ""))
    }


def _words(made: Request, error: ApiError) -> str:
    inputs = reveal(made.inputs)
    return f"{inputs.get('kind')} {'/'.join(filter(None, _where(made)))}: {error}"
