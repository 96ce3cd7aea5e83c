"""What an outcome takes from the events of an operation."""

from __future__ import annotations

from typing import Any

from atwork.engine.outcome import Outcome

BUCKET = "urn:pulumi:ci::atwork::gcp:storage/bucket:Bucket::state"
ROOT = "urn:pulumi:ci::atwork::pulumi:pulumi:Stack::atwork-ci"


def ended(op: str, kind: str = "gcp:storage/bucket:Bucket", *, custom: bool = True) -> dict[str, Any]:
    return {"resOutputsEvent": {"metadata": {"op": op, "type": kind, "new": {"custom": custom}}}}


def diagnostic(message: str, urn: str = "", severity: str = "error") -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": severity, "message": message, "urn": urn}}


def policy(level: str, urn: str = BUCKET) -> dict[str, Any]:
    violation = {
        "policyName": "labels",
        "resourceUrn": urn,
        "message": "no <{%bold%}>label\n owner",
        "enforcementLevel": level,
    }
    return {"policyEvent": violation}


def outcome_of(*events: dict[str, Any]) -> Outcome:
    outcome = Outcome("ci")
    for event in events:
        outcome.add(event)
    return outcome


def test_steps_of_resources_in_the_cloud_are_counted() -> None:
    outcome = outcome_of(
        ended("create"),
        ended("create"),
        ended("same"),
        ended("create", custom=False),
        ended("read", "pulumi:pulumi:StackReference"),
    )
    assert outcome.steps == {"create": 2, "same": 1}


def test_errors_name_their_resource_once_and_summaries_are_no_errors() -> None:
    outcome = outcome_of(
        diagnostic("Error 403:\n  not allowed", BUCKET),
        diagnostic("Error 403:\n  not allowed", BUCKET),
        diagnostic("the program failed", ROOT),
        diagnostic("update failed"),
        diagnostic("slow", severity="warning"),
    )
    outcome.end(255, "error: update failed\n")
    assert outcome.failed
    assert outcome.errors == ["state: Error 403:\n  not allowed", "the program failed"]
    assert outcome.error_lines == ["state: Error 403: not allowed", "the program failed"]


def test_a_mandatory_policy_is_an_error_and_any_other_is_advice() -> None:
    sentence = "labels: no label owner\n  resources: state"
    assert outcome_of(policy("mandatory")).errors == [sentence]
    advised = outcome_of(policy("advisory"))
    assert (advised.errors, advised.advice) == ([], [sentence])


def test_a_policy_is_one_sentence_with_all_its_resources() -> None:
    buckets = [f"urn:pulumi:ci::atwork::gcp:storage/bucket:Bucket::{name}" for name in ("state", "logs", "state")]
    outcome = outcome_of(*(policy("mandatory", bucket) for bucket in buckets))
    assert outcome.errors == ["labels: no label owner\n  resources: state, logs"]
    assert outcome.error_lines == ["labels: no label owner resources: state, logs"]
    outcome.end(255, "error: preview failed")
    assert outcome.errors == ["labels: no label owner\n  resources: state, logs"]


def test_an_engine_that_fails_before_its_first_event_is_quoted() -> None:
    outcome = Outcome("ci")
    outcome.end(255, "warning: old\nerror: no stack named 'ci' found\nUse `pulumi stack init`")
    assert outcome.errors == ["no stack named 'ci' found\nUse `pulumi stack init`"]
    silent = Outcome("ci")
    silent.end(3, "")
    assert silent.errors == ["the engine ended with code 3"]
