"""A group of services in a stack of its own: the same resources as in the environment's stack, in another place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from support.groups import checkout, group_stack, separate_stacks
from support.mocks import Recording
from support.program import run_stack

from infra.config import STACKS
from infra.layout import stack_file

DATABASE = ("atwork:database:Database", "atwork:service_database:ServiceDatabase")


def custom(recording: Recording) -> dict[tuple[str, str], dict[str, Any]]:
    """Inputs of everything that is created, by type and name."""
    return {
        (item.type, item.name): item.inputs
        for item in recording.resources.values()
        if item.custom and not item.type.startswith("pulumi:")
    }


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    return separate_stacks(tmp_path_factory.mktemp("apart"))


def test_a_folder_alone_changes_nothing(tmp_path: Path, recordings: dict[str, Recording]) -> None:
    folder = checkout(tmp_path, separate=False)
    assert custom(run_stack("staging", root=folder)) == custom(recordings["staging"])


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_both_stacks_create_what_the_environment_alone_created(
    environment: str, apart: dict[str, Recording], recordings: dict[str, Recording]
) -> None:
    before = custom(recordings[environment])
    own, group = custom(apart[environment]), custom(apart[f"{environment}.payments"])
    assert own.keys() & group.keys() == set()
    moved = {key: inputs for key, inputs in before.items() if key not in own}
    assert {key: before[key] for key in own} == own, "what stays in the environment's stack is the same"

    # The database's own name says what it is, now that its component is the service's.
    renamed = {
        ("gcp:sql/database:Database", "database-main-orders"): (
            "gcp:sql/database:Database",
            "database-main-orders-database",
        )
    }
    expected = {renamed.get(key, key): inputs for key, inputs in moved.items()}
    assert expected.keys() == group.keys()
    assert expected == group
    assert len(group) > 15


def test_what_is_guarded_and_kept_stays_so(apart: dict[str, Recording], recordings: dict[str, Recording]) -> None:
    def options(recording: Recording, names: set[str]) -> dict[str, tuple[bool, bool]]:
        return {
            item.name: (item.protect, item.retain_on_delete)
            for item in recording.resources.values()
            if item.custom and item.name in names
        }

    group = apart["production.payments"]
    names = {item.name for item in group.resources.values() if item.custom} & {
        item.name for item in recordings["production"].resources.values() if item.custom
    }
    assert options(group, names) == options(recordings["production"], names)
    assert any(guarded for guarded, _ in options(group, names).values())
    assert any(kept for _, kept in options(group, names).values())


def _jobs(script: str) -> dict[str, Any]:
    """The document of a script with jobs."""
    return json.loads(yaml.safe_load(script)["jobs"][0]["providedEnv"]["ATWORK_JOBS"])


def test_jobs_of_a_group_are_a_file_that_the_reloader_finds(
    apart: dict[str, Recording], recordings: dict[str, Recording]
) -> None:
    release = ("kubernetes:helm.sh/v3:Release", "jenkins-release")
    script = str(custom(apart["ci"])[release]["values"]["controller"]["JCasC"]["configScripts"]["jobs"])
    assert "platform/orders" in str(custom(recordings["ci"])[release])
    assert "orders" not in script, "a service of the group changes nothing in the release"

    group = custom(apart["ci.payments"])
    assert [name for _, name in group] == ["jenkins-payments-jobs"]
    [config_map] = group.values()
    assert config_map["metadata"] == {
        "name": "jenkins-jobs-payments",
        "namespace": "jenkins",
        "labels": {"jenkins-jenkins-config": "true"},
    }
    document = _jobs(config_map["data"]["jobs-payments.yaml"])
    before = _jobs(custom(recordings["ci"])[release]["values"]["controller"]["JCasC"]["configScripts"]["jobs"])
    assert document["folders"] == before["folders"][:1], "the folder platform is defined alike in both"
    paths = {job["path"] for job in document["pipelines"]}
    assert {"platform/orders/staging", "platform/orders/production", "platform/preview-janitor-payments"} <= paths


def test_a_group_reads_its_own_environment_and_is_previewed_before_that_is_up(tmp_path: Path) -> None:
    reads: list[str] = []
    recording = group_stack(checkout(tmp_path, separate=True), "staging.payments", reads=reads, preview=True)
    assert reads == ["staging"]
    assert (
        recording.resource("kubernetes:core/v1:Namespace", "tenant-orders-namespace").inputs["metadata"]["name"]
        == "orders"
    )


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("qa.payments", r"stacks/Pulumi\.qa\.payments\.yaml: there is no stacks/Pulumi\.qa\.yaml; name one of"),
        ("demo.payments", r"stacks/Pulumi\.demo\.payments\.yaml: demo is ephemeral, .*; remove the file"),
    ],
)
def test_a_group_has_a_stack_only_in_a_long_lived_environment(stack: str, message: str, tmp_path: Path) -> None:
    folder = checkout(tmp_path, separate=True)
    demo = yaml.safe_load(stack_file(STACKS, "staging").read_text())
    settings = demo["config"]["atwork:stack"]
    settings |= {"encryption": {"covers": []}, "project": {"id": "acme-at-work-demo", "number": "739104285599"}}
    settings["network"] |= {"nodes": "10.0.48.0/20", "pods": "10.80.0.0/16"}
    settings["environment"] = {
        "kind": "ephemeral",
        "owner": "me",
        "created_at": "2027-01-28T18:00:00Z",
        "expires_at": "2027-01-31T18:00:00Z",
    }
    settings["cluster"]["deletion_protection"] = settings["databases"]["main"]["deletion_protection"] = False
    settings.pop("cluster_backup", None)
    del settings["gateway"], settings["monitoring"]
    settings.pop("preview_namespaces", None)
    stack_file(folder / "stacks", "demo").write_text(yaml.safe_dump(demo))
    with pytest.raises(pulumi.RunError, match=message):
        run_stack(stack, root=folder)
