"""Pod templates, merged into pods as Jenkins does it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import Golden

from atwork.sandbox.verify import pod_security
from components.delivery import StoreName
from components.jenkins import pods, sizes, stores
from components.jenkins.build_settings import BuildSettings
from components.jenkins.registry import Images
from components.versions import IMAGES

IMAGE = Images("europe-docker.pkg.dev/acme-ci/docker-hub", {})
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
STORES: list[StoreName] = ["postgres", "redis", "mysql"]


def _merged(*specs: dict[str, Any]) -> dict[str, Any]:
    """The merge of Jenkins' Kubernetes plugin: the parent's spec, with the lists of its children merged by name."""
    result = dict(specs[0])
    for spec in specs[1:]:
        for key in ("containers", "initContainers", "volumes"):
            by_name = {item["name"]: item for item in [*result.get(key, []), *spec.get(key, [])]}
            result[key] = list(by_name.values())
    return result


SPECS = {
    "base": pods.base("agents"),
    "build": _merged(pods.base("agents"), pods.build(IMAGE, BuildSettings())),
    "test": _merged(pods.base("agents"), *(stores.sidecar(store, IMAGE[store]) for store in STORES)),
    "deploy": pods.deploy(IMAGE, "system", sizes.DEPLOY_TOOLS),
    "promote": pods.deploy(IMAGE, "system", sizes.PROMOTE_TOOLS),
}
EVERY = pytest.mark.parametrize("name", SPECS)


def _containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


@EVERY
def test_golden(name: str, golden: Golden) -> None:
    golden(f"jenkins/pod-{name}.yaml", SPECS[name])


@pytest.mark.parametrize("name", ["base", "test", "deploy", "promote"])
def test_restricted(name: str) -> None:
    assert pod_security.restricted(SPECS[name]) == []


def test_a_build_is_restricted_except_for_buildkit() -> None:
    assert sorted(pod_security.restricted(SPECS["build"])) == [
        "buildkit: allowPrivilegeEscalation",
        "buildkit: appArmorProfile Unconfined",
        "buildkit: keeps capabilities",
        "buildkit: no seccomp profile",
        "buildkit: seccompProfile Unconfined",
    ]


@EVERY
def test_names_are_unique_dns_labels(name: str) -> None:
    spec = SPECS[name]
    for items in (_containers(spec), spec.get("volumes", [])):
        names = [item["name"] for item in items]
        assert len(names) == len(set(names))
        assert all(LABEL.fullmatch(name) for name in names)


@EVERY
def test_no_pod_has_a_token_of_the_cluster(name: str) -> None:
    assert SPECS[name]["automountServiceAccountToken"] is False
    assert SPECS[name]["enableServiceLinks"] is False


@EVERY
def test_containers_have_pinned_images_and_limits(name: str) -> None:
    for container in _containers(SPECS[name]):
        if container["name"] == "jnlp":
            continue  # the chart writes its image and size
        assert re.search(r":[0-9v][^:/]*$", container["image"]), container["image"]
        limits = container["resources"]["limits"]
        assert {"memory", "ephemeral-storage"} <= set(limits)
        assert limits["memory"] == container["resources"]["requests"]["memory"]


@EVERY
def test_every_mount_has_its_volume(name: str) -> None:
    spec = SPECS[name]
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    assert {mount["name"] for container in _containers(spec) for mount in container.get("volumeMounts", [])} == volumes


def test_steps_run_as_one_user() -> None:
    for name in ("build", "deploy"):
        users = {container["securityContext"]["runAsUser"] for container in SPECS[name]["containers"]}
        assert users == {pods.USER}


@EVERY
def test_volumes_give_no_setgid_bit_to_the_folders_of_images(name: str) -> None:
    assert SPECS[name]["securityContext"].keys() == {"runAsNonRoot", "seccompProfile"}
    assert all("emptyDir" in volume for volume in SPECS[name].get("volumes", []))  # which all users may write


def test_the_registry_token_is_never_on_a_disk() -> None:
    for name in ("build", "deploy"):
        (volume,) = [item for item in SPECS[name]["volumes"] if item["name"] == "registry-login"]
        assert volume["emptyDir"]["medium"] == "Memory"


@pytest.mark.parametrize("store", STORES)
def test_a_store_starts_before_the_test_and_answers_over_tcp(store: StoreName) -> None:
    (container,) = stores.sidecar(store, IMAGE[store])["initContainers"]
    assert container["restartPolicy"] == "Always"
    assert "127.0.0.1" in container["startupProbe"]["exec"]["command"]
    assert container["image"] == f"{IMAGE.mirror}/library/{IMAGES[store]}"
    assert container["securityContext"]["runAsUser"] == stores.STORES[store].user


@pytest.mark.parametrize("store", STORES)
def test_stores_listen_only_in_their_pod(store: StoreName) -> None:
    (container,) = stores.sidecar(store, IMAGE[store])["initContainers"]
    assert re.search(r"(listen_addresses=|--bind |--bind-address=)127\.0\.0\.1", " ".join(container["args"]))


def test_builds_run_on_their_pool_and_deploys_do_not() -> None:
    assert SPECS["build"]["nodeSelector"] == {"atwork.dev/pool": "agents"}
    assert SPECS["build"]["tolerations"][0]["value"] == "agents"
    assert SPECS["deploy"]["nodeSelector"] == {"atwork.dev/pool": "system"}
    assert "nodeSelector" not in pods.deploy(IMAGE, None, sizes.DEPLOY_TOOLS)


def test_the_stack_sets_the_size_of_a_build() -> None:
    size = BuildSettings(cpu="2", memory="8Gi", scratch="40Gi")
    spec = pods.build(IMAGE, size)
    (buildkit,) = [container for container in spec["containers"] if container["name"] == "buildkit"]
    assert buildkit["resources"]["requests"] == {"cpu": "2", "memory": "8Gi", "ephemeral-storage": "40Gi"}
    assert spec["volumes"][0]["emptyDir"]["sizeLimit"] == "40Gi"
