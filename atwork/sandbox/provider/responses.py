"""Responses of a provider as messages of the engine's protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pulumi.runtime.proto import provider_pb2

from atwork.sandbox.provider.check import Mistake
from atwork.sandbox.provider.diff import PropertyChange

_DIFF_KINDS = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def check_failures(mistakes: Iterable[Mistake]) -> list[provider_pb2.CheckFailure]:
    """The failures in the response to `Check` and `CheckConfig`."""
    return [provider_pb2.CheckFailure(property=mistake.path, reason=mistake.reason) for mistake in mistakes]


def diff_response(
    differences: Sequence[tuple[PropertyChange, bool]], *, delete_first: bool
) -> provider_pb2.DiffResponse:
    """The response to `Diff`: each change with whether it replaces the resource."""
    replacing = [change for change, replaces in differences if replaces]
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if differences else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=sorted({str(change.path[0]) for change in replacing}),
        diffs=sorted({str(change.path[0]) for change, _ in differences}),
        deleteBeforeReplace=bool(replacing) and delete_first,
        hasDetailedDiff=True,
        detailedDiff={
            change.text(): provider_pb2.PropertyDiff(kind=_DIFF_KINDS[change.kind, replaces], inputDiff=True)
            for change, replaces in differences
        },
    )
