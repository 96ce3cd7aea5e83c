"""The documents and files that define Jenkins' jobs; tests/delivery runs them."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.jenkins import JOBS, LEAST, MOST, SOURCE, settings

from components.gateway.settings import GatewaySettings
from components.jenkins.job_documents import VARIABLE, JobDefinitions, group_jobs, release_jobs
from components.jenkins.jobs import DeployJob, Job, PreviewJob, PromoteJob
from components.jenkins.registry import Images
from components.jenkins.stores import STORES

IMAGES = Images("mirror/hub", {})
SHOP = {"service": "orders", "repository": "https://github.com/acme/shop.git", "branch": "release/1"}
STAGING: dict[str, Any] = {
    "environment": "staging",
    "project": "acme-staging",
    "location": "europe-west1",
    "cluster": "atwork-staging",
    "channel": "#orders",
    "minutes": 10,
}
JOB = DeployJob(**SHOP, **STAGING)
PREVIEW = PreviewJob(**SHOP, **STAGING, namespaces=3, hours=24, stores=("postgres", "redis"), gateway=None)


def _document(script: dict[str, Any]) -> dict[str, Any]:
    """The document, after a check that each of its keys is read by the file of its name."""
    variables, *files = script["jobs"]
    document = json.loads(variables["providedEnv"][VARIABLE])
    assert [JOBS.files[key] for key in document] == [file["script"] for file in files]
    return document


def _release(base: dict[str, Any] = MOST, *jobs: Job) -> dict[str, Any]:
    return _document(release_jobs(settings(base), SOURCE, IMAGES, JobDefinitions(JOBS.files, jobs)))


def test_a_service_is_built_by_the_job_of_its_repository() -> None:
    assert JOB.path == "platform/orders/staging"
    assert JOB.arguments(IMAGES)["source"] == "services/shop/release%2F1"
    assert PREVIEW.arguments(IMAGES)["source"] == "services/shop"


def test_only_the_branch_of_the_service_file_is_released() -> None:
    job = PromoteJob(**SHOP)
    assert job.path == "platform/orders/promote"
    assert job.arguments(IMAGES) == {
        "service": "orders",
        "source": "services/shop/release%2F1",
        "repository": "https://github.com/acme/shop",
    }
    assert job.description == "services/shop/release%2F1"


def test_the_least_are_repositories_and_an_empty_folder_without_restricted_clouds() -> None:
    document = _release(LEAST)
    assert document.keys() == {"folders", "services", "pipelines"}
    assert [(folder["name"], folder["clouds"]) for folder in document["folders"]] == [("platform", [])]
    assert document["pipelines"] == []
    assert document["services"]["excluded"] == ""


def test_a_group_adds_its_jobs_to_the_same_folder() -> None:
    document = _document(group_jobs(settings(MOST), IMAGES, "payments", JobDefinitions(JOBS.files, [JOB, PREVIEW])))
    assert document["folders"] == _release()["folders"][:1]
    paths = ["platform/orders/staging", "platform/orders/preview", "platform/preview-janitor-payments"]
    assert [job["path"] for job in document["pipelines"]] == paths


def test_only_folders_of_the_platform_have_the_credential_that_writes_reports() -> None:
    script = release_jobs(settings(MOST), SOURCE, IMAGES, JOBS)
    reports = {folder["name"]: folder["reports"].get("repositories") for folder in _document(script)["folders"]}
    assert reports == {"platform": [], "platform-previews": ["platform"], "platform-changes": ["platform"]}
    variables = script["jobs"][0]["providedEnv"]
    assert variables["ATWORK_REPORTS_KEY"] == "${trim:${readFile:/run/secret-manager/jenkins-github-reports-key}}"
    assert "ATWORK_REPORTS_KEY" not in release_jobs(settings(LEAST), SOURCE, IMAGES, JOBS)["jobs"][0]["providedEnv"]


@pytest.mark.parametrize(
    ("base", "poll", "scan"), [(MOST, "H * * * *", "1h"), ({**MOST, "gateway": None}, "H/5 * * * *", "15m")]
)
def test_jenkins_asks_for_pushes_more_often_where_github_cannot_call_it(
    base: dict[str, Any], poll: str, scan: str
) -> None:
    document = _release(base)
    assert document["stacks"]["poll"] == poll
    assert document["stacks"]["scan"] == document["services"]["scan"] == scan


def test_preview_namespaces_have_a_janitor_with_the_repository_of_each_service() -> None:
    [_, _, janitor] = _release(MOST, JOB, PREVIEW)["pipelines"]
    assert json.loads(janitor["arguments"]["repositories"]) == {"orders": "https://github.com/acme/shop"}
    assert [job["path"] for job in _release(MOST, JOB)["pipelines"]] == ["platform/orders/staging"]


def test_a_preview_has_the_stores_of_the_tests_with_addresses_in_its_namespace() -> None:
    stores = json.loads(PREVIEW.arguments(IMAGES)["stores"])["stores"]
    assert stores["postgres"]["image"] == IMAGES["postgres"]
    assert stores["redis"]["address"] == "redis://redis:6379/0"
    assert not any("127.0.0.1" in argument for store in stores.values() for argument in store["arguments"])
    assert {store["variable"] for store in stores.values()} == {STORES[name].variable for name in PREVIEW.stores}


def test_a_build_has_a_host_behind_the_identity_aware_proxy_where_there_is_a_gateway() -> None:
    gateway = GatewaySettings.model_validate_json('{"domain": "x.dev", "dns": {"delegated": true}, "waf": null}')
    job = replace(PREVIEW, gateway=gateway)
    arguments = job.arguments(IMAGES)
    assert arguments["host"] == "orders-pr-PULL.popup.x.dev"
    route, backend = json.loads(arguments["route"]), json.loads(arguments["backend"])
    assert (route["kind"], route["spec"]["hostnames"]) == ("HTTPRoute", [arguments["host"]])
    assert [rule["backendRefs"][0]["name"] for rule in route["spec"]["rules"]] == ["orders"]
    assert (backend["kind"], backend["spec"]["targetRef"]["name"]) == ("GCPBackendPolicy", "orders")
    assert backend["spec"]["default"]["iap"] == {"enabled": True}
    assert arguments["route"].count("PULL") == 1
    assert "PULL" not in arguments["backend"]
    [_, janitor] = _release(MOST, job)["pipelines"]
    assert janitor["arguments"]["hosts"] == "true"


def test_a_build_has_no_host_without_a_gateway() -> None:
    arguments = PREVIEW.arguments(IMAGES)
    assert {arguments[key] for key in ("host", "backend", "route")} == {""}
    assert _release(MOST, PREVIEW)["pipelines"][1]["arguments"]["hosts"] == ""


@given(st.text(alphabet=st.sampled_from("a{}$^'\"\\\n"), max_size=20))
def test_no_text_is_a_template_or_a_reference(text: str) -> None:
    job = dataclasses.replace(JOB, channel=text)
    script = release_jobs(settings(MOST), SOURCE, IMAGES, JobDefinitions(JOBS.files, [job]))
    document = script["jobs"][0]["providedEnv"][VARIABLE]
    assert "${" not in document
    assert "{{" not in document
    assert json.loads(document)["pipelines"][0]["arguments"]["channel"] == text


@pytest.mark.parametrize("name", sorted(JOBS.files))
def test_no_file_is_a_template_or_has_a_reference(name: str) -> None:
    """Configuration as Code would resolve a reference twice, so that it cannot be escaped."""
    assert "${" not in JOBS.files[name]
    assert "{{" not in JOBS.files[name]


def test_every_file_is_read_with_all_settings() -> None:
    assert set(_release()) == set(JOBS.files)
