"""What Google answers to pods with a volume of Secret Manager."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from atwork.sandbox.bootstrap_secrets import add_version
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.node_google import NodeGoogle
from components.type_tokens import SECRET

POD = "serviceAccount:p.svc.id.goog[shop/web]"
EMAIL = "web@p.iam.gserviceaccount.com"
KEY = "projects/p/secrets/shop-api-key"
OTHER = "projects/p/secrets/other"
GRANTS = {
    (POD, "secretmanager.versions.access", KEY),
    (POD, "secretmanager.versions.access", "projects/p/secrets/absent"),
    (POD, "iam.serviceAccounts.getAccessToken", f"projects/-/serviceAccounts/{EMAIL}"),
}
USERS = {"good p.svc.id.goog": "system:serviceaccount:shop:web", "person p.svc.id.goog": "ada@example.com"}


@pytest.fixture
def google(tmp_path: Path) -> NodeGoogle:
    cloud = Cloud(tmp_path / "cloud.sqlite")
    for secret in (KEY, OTHER):
        cloud.create(CloudObject("", SECRET, secret, "", {}, {}), set())
    add_version(cloud, KEY, 9, "the ninth")
    add_version(cloud, KEY, 10, "the tenth")
    add_version(cloud, OTHER, 1, "of another service")
    return NodeGoogle(
        cloud, "p", lambda token, audience: USERS.get(f"{token} {audience}", ""), lambda *grant: grant in GRANTS
    )


def read(google: NodeGoogle, name: str) -> tuple[str, str]:
    """Name and value of a version, or code and message of a refusal."""
    answer = google.answer({"method": "access", "principal": POD, "name": name})
    if "refusal" in answer:
        return answer["refusal"], answer["message"]
    return answer["name"], base64.b64decode(answer["data"]).decode()


def test_a_pod_gets_the_version_that_it_names(google: NodeGoogle) -> None:
    assert read(google, f"{KEY}/versions/9") == (f"{KEY}/versions/9", "the ninth")
    assert read(google, f"{KEY}/versions/latest") == (f"{KEY}/versions/10", "the tenth")


def test_the_latest_version_is_the_one_created_last_even_if_it_is_disabled(google: NodeGoogle) -> None:
    add_version(google.cloud, KEY, 11, "the eleventh", enabled=False)
    disabled = ("FAILED_PRECONDITION", f"Secret Version [{KEY}/versions/11] is in DISABLED state.")
    assert read(google, f"{KEY}/versions/latest") == disabled


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        (f"{OTHER}/versions/1", "PERMISSION_DENIED", "Permission 'secretmanager.versions.access' denied for resource"),
        (f"{KEY}/versions/8", "NOT_FOUND", f"Secret Version [{KEY}/versions/8] not found."),
        ("projects/p/secrets/absent/versions/latest", "NOT_FOUND", "not found or has no versions."),
        (KEY, "INVALID_ARGUMENT", "is not projects/P/secrets/S/versions/V"),
    ],
)
def test_a_missing_right_or_version_is_refused_as_google_does(
    google: NodeGoogle, name: str, code: str, message: str
) -> None:
    refusal, text = read(google, name)
    assert refusal == code
    assert message in text


def test_the_token_of_a_pod_stands_for_its_account(google: NodeGoogle) -> None:
    assert google.answer({"method": "exchange", "token": "good"}) == {"principal": POD}


@pytest.mark.parametrize("token", ["person", "stolen"])
def test_other_tokens_are_refused(google: NodeGoogle, token: str) -> None:
    assert google.answer({"method": "exchange", "token": token})["refusal"] == "UNAUTHENTICATED"


def test_a_pod_acts_as_a_google_account_that_lets_it(google: NodeGoogle) -> None:
    question = {"method": "impersonate", "principal": POD}
    assert google.answer({**question, "account": EMAIL}) == {"principal": f"serviceAccount:{EMAIL}"}
    assert google.answer({**question, "account": "root@p"})["refusal"] == "PERMISSION_DENIED"


def test_an_empty_sandbox_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    words = [
        sys.executable,
        "-P",
        "-m",
        "atwork.sandbox.node_google",
        str(tmp_path),
        "projects/p/locations/l/clusters/c",
    ]
    question = json.dumps({"method": "exchange", "token": "a"})
    done = subprocess.run(words, input=question, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "projects/p/locations/l/clusters/c: not a cluster of this sandbox; run `atwork sandbox up`"
    ]
