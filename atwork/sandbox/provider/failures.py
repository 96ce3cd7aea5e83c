"""How a provider tells the engine that an object was made but is not well: it goes into the state all the same.

`google.rpc.Status` is taken from Google's own package: Pulumi's copy registers the same message under another file, and
whichever of the two is imported second fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2

from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.provider.values import Json, to_struct


class Aborted(Exception):
    """The call has been ended with its status: nobody has anything to add."""


def abort_made(
    context: grpc.ServicerContext,
    identity: str,
    inputs: dict[str, Json],
    outputs: dict[str, Json],
    reasons: Sequence[str],
) -> NoReturn:
    """End the call with `ErrorResourceInitFailed`: the engine keeps the object and tells the reasons."""
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
    except Exception as ended:
        raise Aborted from ended


def abort_unready(context: grpc.ServicerContext, made: CloudObject, reasons: Sequence[str]) -> None:
    """End the call where there is a reason why an object that was made or changed does not become ready."""
    if reasons:
        abort_made(context, made.id, made.inputs, made.outputs, reasons)
