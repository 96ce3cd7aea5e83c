"""The Job DSL of the folder `platform`; tests/delivery runs the jobs."""

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


def test_a_service_is_built_by_the_job_of_its_repository() -> None:
    assert JOB.source == "services/shop"
    assert JOB.path == "platform/orders/staging"


def test_without_clouds_and_jobs_there_is_an_empty_folder() -> None:
    assert "configure" not in platform([], [], IMAGES)
    assert "pipelineJob" not in platform([], [], IMAGES)


def test_a_job_contains_all_arguments_of_the_library() -> None:
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
def test_a_quoted_text_is_a_literal_of_one_line(text: str) -> None:
    literal = quoted(text)
    assert "\n" not in literal
    body = re.fullmatch(r"'((?:[^'\\]|\\.)*)'", literal)
    assert body is not None
    assert re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], body[1]) == text


@pytest.mark.parametrize("part", ["{{", "${"])
def test_no_text_is_a_template_or_a_reference(part: str) -> None:
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


def test_a_preview_has_the_stores_of_the_tests_with_addresses_in_its_namespace() -> None:
    stores = json.loads(PREVIEW.arguments(IMAGES)["stores"])["stores"]
    assert stores["postgres"]["image"] == IMAGES["postgres"]
    assert stores["redis"]["address"] == "redis://redis:6379/0"
    assert not any("127.0.0.1" in argument for store in stores.values() for argument in store["arguments"])
    assert {store["variable"] for store in stores.values()} == {STORES[name].variable for name in PREVIEW.stores}


def test_preview_namespaces_have_a_janitor_with_the_repository_of_each_service() -> None:
    text = platform(["previews-staging"], [JOB, PREVIEW], IMAGES)
    assert "pipelineJob('platform/orders/preview')" in text
    assert "pipelineJob('platform/preview-janitor')" in text
    assert "cron { spec('H * * * *') }" in text
    assert 'repositories: \\\'{"orders": "https://github.com/acme/shop"}\\\'' in text
    assert "preview-janitor" not in platform(["deploy-staging"], [JOB], IMAGES)
    assert "{{" not in text
