"""Which Redis a service gets on this machine, without starting one."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from atwork.containers.images import ImageStore
from atwork.errors import SandboxError
from atwork.pipeline.service_redis import ServiceRedis
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api

FACTS = {"REDIS_URL": "rediss://10.0.15.7:6379/0", "REDIS_AUTH": "iam", "REDIS_CA": "PEM"}
NO_API = cast("Api", None)


@pytest.fixture
def redis(tmp_path: Path) -> ServiceRedis:
    return ServiceRedis(
        {}, Cloud(tmp_path / "cloud.db"), ImageStore(Path("crane"), tmp_path).puller({}), tmp_path / "memorystore"
    )


def test_a_service_with_redis_reaches_it_without_a_login(redis: ServiceRedis) -> None:
    assert redis.variables(FACTS) == {"REDIS_URL": "redis://memorystore:6379/0", "REDIS_AUTH": "", "REDIS_CA": ""}


def test_the_redis_of_a_preview_namespace_is_left_alone(redis: ServiceRedis) -> None:
    preview = {"REDIS_URL": "redis://redis:6379/0"}
    assert redis.variables(preview) == {}
    assert redis.neighbors(NO_API, preview) == redis.neighbors(NO_API, {}) == []


def test_an_address_that_no_instance_has_is_one_clear_error(redis: ServiceRedis) -> None:
    [neighbor] = redis.neighbors(NO_API, FACTS)
    with pytest.raises(SandboxError, match=r"rediss://10\.0\.15\.7:6379/0: no Redis has this address in the sandbox"):
        neighbor.ports[6379]()
