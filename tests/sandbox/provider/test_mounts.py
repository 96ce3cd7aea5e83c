"""A release waits for its pod, and its pod for what it mounts: each thing that can be missing, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import grpc
import pytest
from support.jenkins import ADDRESSES, JOBS, LEAST, MOST, SOURCE, settings
from support.simulation import Provider, providers

from atwork.sandbox.bootstrap_secrets import add_version, create
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.provider.kubernetes.mounts import problems
from components.jenkins import secrets
from components.jenkins.values import helm_values
from components.type_tokens import SECRET

RELEASE = "kubernetes:helm.sh/v3:Release"
GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"
PROJECT = "acme"
MEMBER = (
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/acme.svc.id.goog/subject/"
    "ns/jenkins/sa/jenkins"
)
ADMIN = f"projects/{PROJECT}/secrets/{secrets.ADMIN_PASSWORD}"


class World:
    """A cluster with Jenkins' namespace and home, and everything that bootstrap and the program make before it."""

    def __init__(self, created: dict[str, Provider], path: Path, base: dict[str, Any]) -> None:
        self.gcp, self.kubernetes, self.cloud = created["gcp"], created["kubernetes"], Cloud(path)
        self.settings = settings(base)
        addresses = ADDRESSES.__class__(**{**vars(ADDRESSES), "project": PROJECT})
        self.inputs: dict[str, Any] = {
            "name": "jenkins",
            "namespace": "jenkins",
            "chart": "jenkins",
            "values": helm_values(self.settings, addresses, SOURCE, JOBS),
        }
        self.object("core/v1:Namespace", "jenkins", namespace="")
        self.object("core/v1:PersistentVolumeClaim", "jenkins-home", spec={"accessModes": ["ReadWriteOnce"]})
        for cloud in self.settings.targets():
            self.object("core/v1:ServiceAccount", f"jenkins-{cloud}")
        for secret in secrets.expected(self.settings):
            create(self.cloud, secret, PROJECT, "a value")
            self.grant(secret.name)

    def object(self, kind: str, name: str, *, namespace: str = "jenkins", **inputs: Any) -> None:
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        self.kubernetes.create(f"kubernetes:{kind}", name, {"metadata": metadata, **inputs})

    def grant(self, secret: str, member: str = MEMBER, role: str = "roles/secretmanager.secretAccessor") -> None:
        self.gcp.create(GRANT, secret, {"project": PROJECT, "secretId": secret, "role": role, "member": member})

    def revoke(self, secret: str) -> None:
        for kind, name in self.cloud.referrers(f"projects/{PROJECT}/secrets/{secret}"):
            if kind == GRANT:
                self.cloud.delete("", kind, name)

    def fails(self) -> str:
        """Install the release, which must not become ready; its reasons."""
        with pytest.raises(grpc.RpcError) as raised:
            self.kubernetes.create(RELEASE, "jenkins-release", self.inputs)
        assert raised.value.code() is grpc.StatusCode.UNKNOWN
        return str(raised.value.details())


@pytest.fixture(params=[LEAST, MOST], ids=["least", "most"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[World]:
    path = tmp_path / "cloud.db"
    with providers(path) as created:
        yield World(created, path, request.param)


def test_a_release_is_ready_if_all_its_mounts_exist(world: World) -> None:
    identity, outputs = world.kubernetes.create(RELEASE, "jenkins-release", world.inputs)
    assert (identity, outputs["status"]["status"]) == ("jenkins/jenkins", "deployed")


def _gone(world: World) -> None:
    world.cloud.delete("", SECRET, ADMIN)


def _without_version(world: World) -> None:
    world.cloud.delete("", "gcp:secretmanager/secretVersion:SecretVersion", f"{ADMIN}/versions/1")


def _another_account(world: World) -> None:
    world.revoke(secrets.ADMIN_PASSWORD)
    world.grant(secrets.ADMIN_PASSWORD, MEMBER.replace("sa/jenkins", "sa/other"))


def _another_project(world: World) -> None:
    world.revoke(secrets.ADMIN_PASSWORD)
    world.grant(secrets.ADMIN_PASSWORD, MEMBER.replace("acme.svc", "other.svc"))


def _another_role(world: World) -> None:
    world.revoke(secrets.ADMIN_PASSWORD)
    world.grant(secrets.ADMIN_PASSWORD, role="roles/secretmanager.viewer")


def _no_class(world: World) -> None:
    world.inputs["values"]["extraObjects"] = {}


def _no_home(world: World) -> None:
    for item in world.cloud.objects(token="kubernetes:core/v1:PersistentVolumeClaim"):
        world.cloud.delete(item.scope, item.type, item.id)


def _a_secret_that_nobody_makes(world: World) -> None:
    world.inputs["values"]["controller"]["admin"] = {"createSecret": True, "existingSecret": "jenkins-admin"}


def _a_key_that_nobody_makes(world: World) -> None:
    world.object("core/v1:Secret", "jenkins-oidc", stringData={"client-id": "1"})
    mounted = world.inputs["values"]["controller"]["additionalExistingSecrets"]
    mounted.append({"name": "jenkins-oidc", "keyName": "client-secret"})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (_gone, f"code = NotFound desc = Secret [{ADMIN}] not found"),
        (_without_version, f"code = NotFound desc = Secret Version [{ADMIN}/versions/latest] not found"),
        (
            lambda world: world.revoke(secrets.ADMIN_PASSWORD),
            f"'secretmanager.versions.access' denied on resource '{ADMIN}'",
        ),
        (_another_account, "denied"),
        (_another_project, "denied"),
        (_another_role, "denied"),
        (lambda world: add_version(world.cloud, ADMIN, 2, "b", enabled=False), "is not enabled"),
        (_no_class, 'secretproviderclasses.secrets-store.csi.x-k8s.io "jenkins" not found'),
        (_no_home, 'persistentvolumeclaim "jenkins-home" not found'),
        (_a_secret_that_nobody_makes, 'secret "jenkins-admin" not found'),
        (_a_key_that_nobody_makes, 'secret "jenkins-oidc" has no key client-secret'),
    ],
)
def test_a_release_times_out_if_a_mount_is_missing(world: World, fault: Callable[[World], object], reason: str) -> None:
    fault(world)
    reported = world.fails()
    assert "context deadline exceeded; MountVolume.SetUp failed: " in reported
    assert reason in reported
    # It is there, as Helm leaves it, and a further update looks again.
    assert world.cloud.get(_server(world), RELEASE, "jenkins/jenkins") is not None
    with pytest.raises(grpc.RpcError):
        world.kubernetes.update(RELEASE, "jenkins-release", "jenkins/jenkins", world.inputs)


def test_a_token_needs_its_account(tmp_path: Path) -> None:
    """Kubernetes deletes the Secret of a token whose account does not exist."""
    with providers(tmp_path / "cloud.db") as created:
        world = World(created, tmp_path / "cloud.db", MOST)
        for item in world.cloud.objects(token="kubernetes:core/v1:ServiceAccount"):
            world.cloud.delete(item.scope, item.type, item.id)
        assert 'secret "jenkins-deploy-production-scheduler" not found' in world.fails()


def test_an_update_becomes_ready_once_the_value_is_added(world: World) -> None:
    _without_version(world)
    world.fails()
    add_version(world.cloud, ADMIN, 1, "a value")
    world.kubernetes.update(RELEASE, "jenkins-release", "jenkins/jenkins", world.inputs)


def test_a_preview_waits_for_nothing(world: World) -> None:
    _gone(world)
    world.kubernetes.create(RELEASE, "jenkins-release", world.inputs, preview=True)


def _server(world: World) -> str:
    (result,) = {item.scope for item in world.cloud.objects(token="kubernetes:core/v1:Namespace")}
    return result


@pytest.mark.parametrize("values", [{}, {"controller": {}}, {"persistence": {"volumes": [{"emptyDir": {}}]}}])
def test_other_charts_wait_for_nothing(tmp_path: Path, values: dict[str, Any]) -> None:
    assert problems({"name": "a", "namespace": "b", "values": values}, "https://none", Cloud(tmp_path / "c.db")) == []
