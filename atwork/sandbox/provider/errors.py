"""Errors of the simulated providers, and how they reach the engine.

`google.rpc.Status` comes from Google's own package: Pulumi's copy registers the same message under another file name,
and importing both fails.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import grpc
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2

from atwork.sandbox.cloud import CloudCorrupt, CloudObject
from atwork.sandbox.provider.schema import UnknownType
from atwork.sandbox.provider.values import Json, to_struct

log = logging.getLogger("atwork.sandbox.provider")
Method = TypeVar("Method", bound=Callable[..., Any])


class Refused(Exception):
    """The cloud refuses a call; the message is for the user."""


class Aborted(Exception):
    """The call has ended with a status; no other handler may change it."""


def plain_errors(method: Method) -> Method:
    """Turn errors into one message for the engine; only unexpected ones leave a traceback in the log."""

    @functools.wraps(method)
    def handled(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except Refused as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except CloudCorrupt as error:
            context.abort(grpc.StatusCode.DATA_LOSS, str(error))
        except UnknownType as error:
            context.abort(grpc.StatusCode.NOT_FOUND, f"the installed SDK has no resource type {error}")
        except Aborted:
            raise
        except Exception as error:
            log.exception("%s failed", method.__name__)
            context.abort(grpc.StatusCode.INTERNAL, f"the simulation failed in {method.__name__}: {error!r}")

    return handled  # pyright: ignore[reportReturnType]  (the same signature)


def abort_not_ready(
    context: grpc.ServicerContext,
    identity: str,
    inputs: dict[str, Json],
    outputs: dict[str, Json],
    reasons: Sequence[str],
) -> NoReturn:
    """End the call with `ErrorResourceInitFailed`: the engine keeps the object in the state and reports the reasons."""
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message="; ".join(reasons))
    detail: Any = status.details.add()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=identity, inputs=to_struct(inputs), properties=to_struct(outputs), reasons=list(reasons)
        )
    )
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    try:
        context.abort(grpc.StatusCode.UNKNOWN, status.message)
    except Exception as error:
        raise Aborted from error


def abort_if_not_ready(context: grpc.ServicerContext, changed: CloudObject, reasons: Sequence[str]) -> None:
    """End the call if there are reasons why a created or updated object does not become ready."""
    if reasons:
        abort_not_ready(context, changed.id, changed.inputs, changed.outputs, reasons)
