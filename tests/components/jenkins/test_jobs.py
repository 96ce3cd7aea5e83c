"""The jobs of the folder `platform`, as text; tests/delivery plays them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.jenkins.job_dsl import quoted
from components.jenkins.jobs import DeployJob, PreviewJob
from components.jenkins.platform_jobs import platform
from components.jenkins.registry import Images
from components.jenkins.stores import STORES

IMAGES = Images("mirror/hub", {})
JOB = DeployJob(
    "orders", "staging", "acme-staging", "europe-west1", "atwork-staging", "#orders", "https://x.org/a/shop.git"
)


def test_where_a_service_is_built_is_its_repositorys_job() -> None:
    assert JOB.source == "services/shop"
    assert JOB.path == "platform/orders/staging"


def test_without_clouds_and_jobs_there_is_an_empty_folder() -> None:
    assert "configure" not in platform([], [], IMAGES)
    assert "pipelineJob" not in platform([], [], IMAGES)


def test_a_job_says_all_that_the_library_is_called_with() -> None:
    text = platform(["deploy-staging"], [JOB], IMAGES)
    assert "clouds.appendNode('string', 'deploy-staging')" in text
    assert "folder('platform/orders')" in text
    called = set(re.findall(r"(\w+): ", text.partition("deployService(")[2].partition(")")[0]))
    assert called == {
        "service",
        "environment",
        "project",
        "location",
        "cluster",
        "channel",
        "source",
        "host",
        "approvers",
    }


@given(st.text(alphabet=st.sampled_from("ab'\"\\\n$")))
def test_a_quoted_text_is_one_line_and_ends_where_it_should(text: str) -> None:
    made = quoted(text)
    assert "\n" not in made
    body = re.fullmatch(r"'((?:[^'\\]|\\.)*)'", made)
    assert body is not None
    assert re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], body[1]) == text


@pytest.mark.parametrize("part", ["{{", "${"])
def test_nothing_in_it_is_a_template_or_a_reference(part: str) -> None:
    assert part not in platform(["deploy-staging"], [JOB], IMAGES)


PREVIEW = PreviewJob(
    "orders",
    "staging",
    "acme-staging",
    "europe-west1",
    "atwork-staging",
    "#orders",
    "https://github.com/acme/shop.git",
    namespaces=3,
    hours=24,
    stores=("postgres", "redis"),
)


def test_a_preview_namespace_brings_the_stores_of_the_tests_where_its_namespace_reaches_them() -> None:
    beside = json.loads(PREVIEW.arguments(IMAGES)["stores"])["stores"]
    assert beside["postgres"]["image"] == IMAGES["postgres"]
    assert beside["redis"]["address"] == "redis://redis:6379/0"
    assert not any("127.0.0.1" in argument for one in beside.values() for argument in one["arguments"])
    assert {one["variable"] for one in beside.values()} == {STORES[name].variable for name in PREVIEW.stores}


def test_preview_namespaces_have_a_janitor_that_knows_where_each_pull_request_is() -> None:
    text = platform(["previews-staging"], [JOB, PREVIEW], IMAGES)
    assert "pipelineJob('platform/orders/preview')" in text
    assert "pipelineJob('platform/preview-janitor')" in text
    assert "cron { spec('H * * * *') }" in text
    assert 'repositories: \\\'{"orders": "https://github.com/acme/shop"}\\\'' in text
    assert "preview-janitor" not in platform(["deploy-staging"], [JOB], IMAGES)
    assert "{{" not in text
