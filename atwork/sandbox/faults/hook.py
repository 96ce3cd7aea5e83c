"""Where faults meet calls: around the providers' service, so that the providers know nothing of them.

A half-done object is told as the real providers tell it: `ErrorResourceInitFailed` in the details of the gRPC status.
The engine then keeps the object with the error in its state, and the next `up` updates it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2

from atwork.errors import SandboxError
from atwork.sandbox.faults import words
from atwork.sandbox.faults.model import Call, Effect, Fault, Operation
from atwork.sandbox.faults.store import Store

DEFAULT_SECONDS = {Effect.slow: 2.0, Effect.hang: 60.0}
"""How long a slow answer takes, and how long a provider waits for one that never comes."""

_METHODS = {one.value.capitalize(): one.value for one in Operation if one is not Operation.any}
Behaviour = Callable[[Any, grpc.ServicerContext], Any]


class Faults(grpc.ServerInterceptor):
    """Lets calls through, or does to them what the faults of a sandbox say."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, list[threading.Event]] = {}
        self._guard = threading.Lock()

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Put ourselves around the four calls that do something, and hear of a cancel."""
        handler = continuation(handler_call_details)
        method = handler_call_details.method.rpartition("/")[2]
        if method == "Cancel":
            around = self._cancel(handler.unary_unary)
        elif method in _METHODS:
            around = self._call(_METHODS[method], handler.unary_unary)
        else:
            return handler
        return grpc.unary_unary_rpc_method_handler(around, handler.request_deserializer, handler.response_serializer)

    def _cancel(self, inner: Behaviour) -> Behaviour:
        def around(request: Any, context: grpc.ServicerContext) -> Any:
            with self._guard:
                for event in self._waiting.get(context.peer(), []):
                    event.set()
            return inner(request, context)

        return around

    def _call(self, operation: str, inner: Behaviour) -> Behaviour:
        def around(request: Any, context: grpc.ServicerContext) -> Any:
            if getattr(request, "preview", False):
                return inner(request, context)
            call = Call(operation, request.urn)
            try:
                met = self._store.met(call)
            except SandboxError as error:
                context.abort(grpc.StatusCode.DATA_LOSS, str(error))
            # A slow answer may be a bad one as well; what ends the call comes after what delays it.
            for fault in sorted(met, key=lambda one: one.effect is not Effect.slow):
                if fault.effect is Effect.slow:
                    self._wait(fault, context)
                elif fault.effect is Effect.unreachable and operation == Operation.read and _lets_go():
                    return provider_pb2.ReadResponse()
                elif fault.effect is Effect.partial:
                    _half_done(request, inner(request, context), words.error(fault, call), context)
                else:
                    self._refuse(fault, call, context)
            return inner(request, context)

        return around

    def _refuse(self, fault: Fault, call: Call, context: grpc.ServicerContext) -> None:
        if fault.effect is Effect.hang:
            if self._wait(fault, context):
                context.abort(grpc.StatusCode.CANCELLED, "context canceled")
            told = fault.model_copy(update={"seconds": _seconds(fault)})
            context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, words.error(told, call))
        context.abort(grpc.StatusCode.UNKNOWN, words.error(fault, call))

    def _wait(self, fault: Fault, context: grpc.ServicerContext) -> bool:
        """Wait; true when the engine cancelled, or went away."""
        event = threading.Event()
        if not context.add_callback(event.set):
            return True
        with self._guard:
            self._waiting.setdefault(context.peer(), []).append(event)
        try:
            return event.wait(_seconds(fault))
        finally:
            with self._guard:
                self._waiting[context.peer()].remove(event)


def _seconds(fault: Fault) -> float:
    return fault.seconds or DEFAULT_SECONDS[fault.effect]


def _lets_go() -> bool:
    # The providers' package serves this hook: it can only be imported when both are there.
    from atwork.sandbox.provider.kubernetes import delete_unreachable

    return delete_unreachable()


def _half_done(request: Any, answer: Any, reason: str, context: grpc.ServicerContext) -> None:
    from atwork.sandbox.provider.failures import abort_made
    from atwork.sandbox.provider.values import from_struct

    made = isinstance(request, provider_pb2.CreateRequest)
    inputs = request.properties if made else request.news
    identity = answer.id if made else request.id
    abort_made(context, identity, from_struct(inputs), from_struct(answer.properties), [reason])
