"""Faults as a wrapper around the calls of the providers, which do not know of them.

A partly created object is reported as the official providers do: `ErrorResourceInitFailed` in the details of the gRPC
status. The engine then keeps the object with the error in its state, and the next update completes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2

from atwork.errors import SandboxError
from atwork.sandbox.faults import messages
from atwork.sandbox.faults.model import Call, Effect, Fault, Operation
from atwork.sandbox.faults.store import FaultStore
from atwork.sandbox.provider.errors import abort_not_ready
from atwork.sandbox.provider.kubernetes.kubeconfig import delete_unreachable
from atwork.sandbox.provider.values import from_struct

DEFAULT_SECONDS = {Effect.slow: 2.0, Effect.hang: 60.0}
"""Delay of a slow answer, and timeout of a provider that waits for an answer."""

_OPERATIONS = {operation.value.capitalize(): operation for operation in Operation if operation is not Operation.any}
"""Operations by the name of their gRPC method."""
Handler = Callable[[Any, grpc.ServicerContext], Any]


class FaultInterceptor(grpc.ServerInterceptor):
    """Passes calls on, or applies the faults of a sandbox to them."""

    def __init__(self, store: FaultStore) -> None:
        self._store = store
        self._waiting: dict[str, list[threading.Event]] = {}
        self._canceled: set[str] = set()
        """Engines that have canceled: a call that is counted before and waits after that must end, too."""
        self._lock = threading.Lock()

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Wrap the four methods that read or change objects, and the method that cancels."""
        handler = continuation(handler_call_details)
        method = handler_call_details.method.rpartition("/")[2]
        if method == "Cancel":
            wrapped = self._wrap_cancel(handler.unary_unary)
        elif method in _OPERATIONS:
            wrapped = self._wrap(_OPERATIONS[method], handler.unary_unary)
        else:
            return handler
        return grpc.unary_unary_rpc_method_handler(wrapped, handler.request_deserializer, handler.response_serializer)

    def _wrap_cancel(self, inner: Handler) -> Handler:
        def wrapped(request: Any, context: grpc.ServicerContext) -> Any:
            with self._lock:
                self._canceled.add(context.peer())
                for event in self._waiting.get(context.peer(), []):
                    event.set()
            return inner(request, context)

        return wrapped

    def _wrap(self, operation: Operation, inner: Handler) -> Handler:
        def wrapped(request: Any, context: grpc.ServicerContext) -> Any:
            if getattr(request, "preview", False):
                return inner(request, context)
            call = Call(operation, request.urn)
            try:
                faults = self._store.count(call)
            except SandboxError as error:
                context.abort(grpc.StatusCode.DATA_LOSS, str(error))
            # A slow call may fail as well, so delays come before the faults that end the call.
            for fault in sorted(faults, key=lambda fault: fault.effect is not Effect.slow):
                if fault.effect is Effect.slow:
                    self._wait(fault, context)
                elif fault.effect is Effect.unreachable and operation is Operation.read and delete_unreachable():
                    return provider_pb2.ReadResponse()
                elif fault.effect is Effect.partial:
                    _abort_partial(request, inner(request, context), messages.error(fault, call), context)
                else:
                    self._abort(fault, call, context)
            return inner(request, context)

        return wrapped

    def _abort(self, fault: Fault, call: Call, context: grpc.ServicerContext) -> None:
        if fault.effect is Effect.hang:
            if self._wait(fault, context):
                context.abort(grpc.StatusCode.CANCELLED, "context canceled")
            timed = fault.model_copy(update={"seconds": _seconds(fault)})
            context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, messages.error(timed, call))
        context.abort(grpc.StatusCode.UNKNOWN, messages.error(fault, call))

    def _wait(self, fault: Fault, context: grpc.ServicerContext) -> bool:
        """Wait; true if the engine cancels or disconnects."""
        event = threading.Event()
        if not context.add_callback(event.set):
            return True
        with self._lock:
            if context.peer() in self._canceled:
                return True
            self._waiting.setdefault(context.peer(), []).append(event)
        try:
            return event.wait(_seconds(fault))
        finally:
            with self._lock:
                self._waiting[context.peer()].remove(event)


def _seconds(fault: Fault) -> float:
    return fault.seconds or DEFAULT_SECONDS[fault.effect]


def _abort_partial(request: Any, response: Any, reason: str, context: grpc.ServicerContext) -> None:
    """End a call that changed an object with the error that the object is not ready."""
    is_create = isinstance(request, provider_pb2.CreateRequest)
    inputs = request.properties if is_create else request.news
    identity = response.id if is_create else request.id
    abort_not_ready(context, identity, from_struct(inputs), from_struct(response.properties), [reason])
