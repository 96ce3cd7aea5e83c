"""How long logs are kept: what is declared, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from support.mocks import Recording, record

from components.log_storage import DATA_ACCESS, LogStorage, LogStorageSettings

BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
EXCLUSION = "gcp:logging/projectExclusion:ProjectExclusion"
SINK = "gcp:logging/projectSink:ProjectSink"


def storage(**settings: Any) -> Recording:
    def program() -> None:
        LogStorage("logs", LogStorageSettings(**settings), project="acme", region="europe-west1", protect=True)

    return record(program)


def test_googles_own_buckets_stay_as_they_are() -> None:
    recording = storage()
    assert recording.of_type(BUCKET) == recording.of_type(SINK) == {}
    assert [*recording.of_type(EXCLUSION)] == ["logs-probes"]
    assert storage(probes=True).of_type(EXCLUSION) == {}


def test_audit_logs_have_a_bucket_that_is_guarded_and_not_locked() -> None:
    recording = storage(audit_days=400)
    bucket, sink = recording.resource(BUCKET, "logs-audit"), recording.resource(SINK, "logs-audit-sink")
    assert (bucket.inputs["retentionDays"], bucket.inputs["location"], bucket.protect) == (400, "europe-west1", True)
    assert "locked" not in bucket.inputs
    assert sink.inputs["destination"] == "logging.googleapis.com/logs-audit-id"
    exclusion = recording.resource(EXCLUSION, "logs-audit-exclusion")
    assert exclusion.inputs["filter"] == sink.inputs["filter"] == DATA_ACCESS
    assert sink.urn in exclusion.depends_on, "nothing is left out before the sink keeps it"


def test_the_default_bucket_is_adopted_where_its_retention_is_set() -> None:
    bucket = storage(days=60).resource(BUCKET, "logs-default")
    assert (bucket.inputs["bucketId"], bucket.inputs["location"], bucket.inputs["retentionDays"]) == (
        "_Default",
        "global",
        60,
    )


@pytest.mark.parametrize("settings", [{"days": 0}, {"audit_days": 3651}])
def test_a_retention_that_google_refuses_is_a_mistake(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="days"):
        LogStorageSettings(**settings)
