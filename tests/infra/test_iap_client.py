"""An OAuth client of your own for the Identity-Aware Proxy: what is refused, and what each namespace behind it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.cloud import facts, simulated
from support.iap_client import CLIENT, ID
from support.iap_client import settings as document
from support.mocks import Recording
from support.program import run_stack

from atwork.access.duties import environment
from atwork.access.pods import PodAccount
from components.gateway import previews
from components.gateway.iap_client import expected
from components.gateway.names import IAP_CLIENT
from components.type_tokens import (
    BACKEND_POLICY,
    CLUSTER,
    KUBERNETES_ACCOUNT,
    KUBERNETES_SECRET,
    RELEASE,
    SECRET_VERSION,
)
from infra.config import STACKS, parse, read_all, read_file
from infra.errors import ConfigError
from infra.layout import SERVICES_FOLDER, STACKS_FOLDER

SYNC = "kubernetes:secret-sync.gke.io/v1:SecretSync"
CLASS = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"
READER = "gcp:secretmanager/secretIamMember:SecretIamMember"
PROXY = {"enabled": True, "clientID": ID, "oauth2ClientSecret": {"name": IAP_CLIENT}}


@pytest.fixture(scope="module")
def with_client() -> dict[str, Recording]:
    """The stacks that have people behind the proxy."""
    return {name: run_stack(name, document(name)) for name in ("ci", "staging")}


@pytest.mark.parametrize(
    ("client", "message"),
    [
        ({"id": ID}, r"gateway\.iap\.client\.secret: missing; add it, such as iap-client-secret$"),
        ({"secret": "iap-client-secret"}, r"gateway\.iap\.client\.id: missing; add it"),
        ({**CLIENT, "id": "me@example.com"}, r"gateway\.iap\.client\.id: .* write the ID of an OAuth client"),
        ({**CLIENT, "id": f"https://{ID}"}, r"gateway\.iap\.client\.id: .* is not valid"),
        ({**CLIENT, "secret": "GOCSPX-a_B"}, r"gateway\.iap\.client\.secret: .* is not valid; write a name of at most"),
        ({**CLIENT, "key": "a"}, r"gateway\.iap\.client\.key"),
    ],
)
def test_a_client_that_does_not_work_is_refused(client: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"stacks/Pulumi\.staging\.yaml.*{message}"):
        parse("staging", json.dumps(document("staging", client)))


def test_a_client_without_groups_is_refused() -> None:
    stack = document()
    del stack["gateway"]["iap"]["groups"]
    with pytest.raises(ConfigError, match=r"gateway\.iap\.groups: missing; add it, such as \[platform@example\.com\]$"):
        parse("staging", json.dumps(stack))


def test_the_secret_of_the_client_is_no_other_secret() -> None:
    stack = document("ci", {**CLIENT, "secret": "jenkins-oidc-client-secret"})
    with pytest.raises(ConfigError, match=r"gateway\.iap\.client\.secret: .* is the name of another secret .*; choose"):
        parse("ci", json.dumps(stack))


def test_bootstrap_creates_the_secret_with_its_value() -> None:
    config = parse("staging", json.dumps(document()))
    secrets = [secret for secret in config.expected_secrets() if secret.name == CLIENT["secret"]]
    assert [(secret.made_by, secret.accounts) for secret in secrets] == [("bootstrap", (IAP_CLIENT,))]
    assert expected(parse("staging", read_file(STACKS / "Pulumi.staging.yaml")).gateway) == ()


@pytest.mark.parametrize(
    ("stack", "namespaces"),
    [("ci", ["jenkins"]), ("staging", ["orders", "preview-1", "preview-2", "preview-3", "preview-4"])],
)
def test_each_namespace_behind_the_proxy_reads_the_secret(
    stack: str, namespaces: list[str], with_client: dict[str, Recording]
) -> None:
    recording = with_client[stack]
    syncs = [item.inputs for item in recording.of_type(SYNC).values()]
    assert sorted(item["metadata"]["namespace"] for item in syncs) == namespaces
    assert {item["metadata"]["name"] for item in syncs} == {IAP_CLIENT}
    assert syncs[0]["spec"]["secretObject"]["data"] == [{"sourcePath": "key", "targetKey": "key"}]
    accounts = recording.of_type(KUBERNETES_ACCOUNT).values()
    own = [item.inputs for item in accounts if item.inputs["metadata"]["name"] == IAP_CLIENT]
    assert sorted(item["metadata"]["namespace"] for item in own) == namespaces
    readers = [
        item.inputs for item in recording.of_type(READER).values() if item.inputs["secretId"] == CLIENT["secret"]
    ]
    subjects = sorted(item["member"].rpartition("/subject/")[2] for item in readers)
    assert subjects == [f"ns/{namespace}/sa/{IAP_CLIENT}" for namespace in namespaces]
    for item in recording.of_type(CLASS).values():
        [listed] = yaml.safe_load(item.inputs["spec"]["parameters"]["secrets"])
        assert listed["path"] == "key"
        assert listed["resourceName"].endswith(f"/secrets/{CLIENT['secret']}/versions/latest")


def test_policies_name_the_client_and_its_secret_is_nowhere(with_client: dict[str, Recording]) -> None:
    backends = [item.inputs["spec"]["default"] for item in with_client["staging"].of_type(BACKEND_POLICY).values()]
    assert [item["iap"] for item in backends if "iap" in item] == [PROXY]
    [release] = with_client["ci"].of_type(RELEASE).values()
    objects = release.inputs["values"]["extraObjects"]
    assert objects["proxy"]["spec"]["default"]["iap"] == PROXY
    assert "iap" not in objects["webhook-proxy"]["spec"]["default"]
    assert {urn.rpartition("::")[2] for urn in release.depends_on} >= {"jenkins-iap-secret"}
    for recording in with_client.values():
        assert recording.of_type(SECRET_VERSION) == {}
        assert recording.of_type(KUBERNETES_SECRET) == {}


def test_the_policy_waits_for_the_secret(with_client: dict[str, Recording]) -> None:
    backend = with_client["staging"].resource(BACKEND_POLICY, "service-orders-backend")
    assert {urn.rpartition("::")[2] for urn in backend.depends_on} >= {"service-orders-iap-secret"}


def test_secret_sync_is_on_where_a_client_is(
    with_client: dict[str, Recording], recordings: dict[str, Recording]
) -> None:
    on = {"enabled": True, "rotationConfig": {"enabled": True, "rotationInterval": "120s"}}
    assert [_cluster(recording).get("secretSyncConfig") for recording in with_client.values()] == [on, on]
    assert "secretSyncConfig" not in _cluster(recordings["staging"])


def test_a_public_host_has_no_secret(tmp_path: Path) -> None:
    (tmp_path / STACKS_FOLDER).symlink_to(STACKS)
    (tmp_path / SERVICES_FOLDER).mkdir()
    for name, public in {"open": True, "closed": False}.items():
        place = {"host": f"{name}.staging.example.com", "public": public}
        repository = f"https://github.com/acme/{name}"
        about = {"owner": "a", "repository": repository, "channel": "#a", "environments": {"staging": place}}
        (tmp_path / SERVICES_FOLDER / f"{name}.yaml").write_text(yaml.safe_dump(about))
    recording = run_stack("staging", document(), root=tmp_path)
    namespaces = {item.inputs["metadata"]["namespace"] for item in recording.of_type(SYNC).values()}
    assert {name for name in namespaces if not name.startswith("preview-")} == {"closed"}
    own = [item.name for item in recording.resources.values() if item.name.startswith("service-closed-iap-")]
    assert len(own) == 4, own


def test_builds_have_the_client_too() -> None:
    gateway = parse("staging", json.dumps(document())).gateway
    assert gateway is not None
    assert previews.backend(gateway, "orders")["spec"]["default"]["iap"] == PROXY


def test_what_runs_in_a_preview_namespace_leaves_the_client_alone(
    with_client: dict[str, Recording], recordings: dict[str, Recording]
) -> None:
    policy = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
    name = "preview-namespaces-preview-iap-client"
    spec = with_client["staging"].resource(policy, name).inputs["spec"]
    assert spec["failurePolicy"] == "Fail"
    assert IAP_CLIENT in spec["validations"][0]["expression"]
    assert name not in recordings["staging"].of_type(policy)


def test_the_right_to_the_secret_has_its_duty() -> None:
    """Without the duty, `atwork access audit` reports the right as one that nobody needs."""
    change = document()
    configs = {**read_all(), "staging": parse("staging", json.dumps(change))}
    known = facts({"staging": simulated("staging", change, configs)}, configs)["staging"]
    readers = {item.identity for item in environment.duties(known, None) if item.does == "sync a secret"}
    project = configs["staging"].project.id
    namespaces = ("orders", *(f"preview-{number}" for number in range(1, 5)))
    assert readers == {PodAccount(project, namespace, IAP_CLIENT).identity for namespace in namespaces}


def _cluster(recording: Recording) -> dict[str, Any]:
    [cluster] = recording.of_type(CLUSTER).values()
    return cluster.inputs
