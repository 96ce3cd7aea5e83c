"""Events as the engine writes them, for one resource after the other."""

from __future__ import annotations

from typing import Any

from atwork.report.model import StackReport
from atwork.report.read import Reading

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "djE6"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SQL = "gcp:sql/databaseInstance:DatabaseInstance"
BUCKET = "gcp:storage/bucket:Bucket"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def urn(kind: str, name: str, stack: str = "ci") -> str:
    return f"urn:pulumi:{stack}::atwork::{kind}::{name}"


def step(
    op: str,
    kind: str,
    name: str,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    *,
    stack: str = "ci",
    **metadata: Any,
) -> dict[str, Any]:
    """One resourcePreEvent; `old` and `new` are inputs, with guards such as `_protect` among them."""

    def state(inputs: dict[str, Any] | None) -> dict[str, Any] | None:
        if inputs is None:
            return None
        around = {key[1:]: value for key, value in inputs.items() if key.startswith("_")}
        plain = {key: value for key, value in inputs.items() if not key.startswith("_")}
        return {"type": kind, "urn": urn(kind, name, stack), "custom": True, "inputs": plain, **around}

    details = {"op": op, "urn": urn(kind, name, stack), "type": kind, "old": state(old), "new": state(new), **metadata}
    return {"resourcePreEvent": {"metadata": details, "planning": True}}


def outputs(old: dict[str, Any], new: dict[str, Any], *, stack: str = "ci") -> dict[str, Any]:
    kind = "pulumi:pulumi:Stack"
    metadata = {
        "op": "same",
        "urn": urn(kind, f"atwork-{stack}", stack),
        "type": kind,
        "old": {"outputs": old},
        "new": {"outputs": new},
    }
    return {"resOutputsEvent": {"metadata": metadata, "planning": True}}


def error(message: str) -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": "error", "message": f"<{{%reset%}}>{message}<{{%reset%}}>\n"}}


END: list[dict[str, Any]] = [{"summaryEvent": {"resourceChanges": {"same": 4}}}, {"cancelEvent": {}}]


def report(
    *events: dict[str, Any], stack: str = "ci", code: int = 0, complete: bool = True, **about: Any
) -> StackReport:
    reading = Reading(stack)
    for event in (*events, *(END if complete else ())):
        reading.take(event)
    return reading.report(code=code, **about)
