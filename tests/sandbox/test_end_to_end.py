"""The three environments on the real engine, from their real stack files.

The tests share one checkout and run in order, from the first `up` to `down`.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.checkout import copy
from support.guards import lift_policy, lift_settings
from support.processes import kill_in_call
from support.shell import atwork, pulumi

from atwork.engine.urn import name_of, provider_of
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.faults.model import Operation
from atwork.sandbox.home import Home
from atwork.sandbox.provider.values import secret
from atwork.sandbox.state_files import deployment
from infra.layout import stack_file

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.engine


def checkout(folder: Path) -> Home:
    return Home(copy(folder, "infra", "policies", "delivery"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return checkout(tmp_path_factory.mktemp("checkout"))


def rows(output: str) -> dict[str, list[str]]:
    """Cells of the table by stack: result, resources, created, updated, replaced, deleted, unchanged."""
    lines = (line.split() for line in output.splitlines())
    return {cells[0]: cells[1:8] for cells in lines if len(cells) > 8 and cells[1] in ("done", "failed")}


def resources(home: Home, stack: str) -> list[dict[str, Any]]:
    listed = deployment(home, stack).get("resources") or []
    assert isinstance(listed, list)
    return listed


def files_with(value: str, *folders: Path) -> list[str]:
    """Files below folders that contain a value.

    Another process searches them: this process would release SQLite's locks when it closes a database file.
    """
    command = ["grep", "-rlF", "--", value, *map(str, folders)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


def edit(home: Home, stack: str, old: str, new: str) -> None:
    path = home.checkout / "stacks" / f"Pulumi.{stack}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def locks(home: Home, stack: str) -> list[Path]:
    return list((home.state / ".pulumi" / "locks" / "organization" / "atwork" / stack).glob("*.json"))


def agrees(home: Home, *stacks: str) -> bool:
    """Whether the states and the simulated cloud have the same objects."""
    in_states = Counter(
        resource["id"]
        for stack in stacks
        for resource in resources(home, stack)
        if resource["type"].startswith(("gcp:", "kubernetes:"))
    )
    return in_states == Counter(each.id for each in Cloud(home.cloud).objects() if each.urn)


def test_01_a_preview_before_the_first_update_says_what_to_do(home: Home) -> None:
    done = atwork(home, "sandbox", "preview")
    assert done.returncode == 1
    assert "staging reads the outputs of ci, which is not up; run `atwork sandbox up` first" in done.stderr


def test_02_up_creates_three_environments(home: Home) -> None:
    done = atwork(home, "sandbox", "up")
    assert done.returncode == 0, done.stdout + done.stderr
    table = rows(done.stdout)
    assert list(table) == ["ci", "staging", "production"]
    for cells in table.values():
        assert cells[0] == "done"
        assert cells[1] == cells[2] != "0"
    assert "https://jenkins.ci.example.com" in done.stdout
    assert "acme-at-work-production:europe-west1:database-main-instance-" in done.stdout


def test_02a_every_pod_of_the_platform_could_start_and_work(home: Home) -> None:
    done = atwork(home, "sandbox", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[1:4]] == ["ci", "staging", "production"]


def test_03_the_stack_files_are_unchanged(home: Home) -> None:
    for stack in ("staging", "production"):
        name = f"Pulumi.{stack}.yaml"
        assert (home.checkout / "stacks" / name).read_bytes() == (ROOT / "stacks" / name).read_bytes()
    assert "encryptionsalt" not in (home.checkout / "stacks" / "Pulumi.ci.yaml").read_text()


def test_04_state_and_cloud_agree(home: Home) -> None:
    assert agrees(home, "ci", "staging", "production")


def test_05_a_second_up_changes_nothing(home: Home) -> None:
    table = rows(atwork(home, "sandbox", "up").stdout)
    assert {stack: cells[2:6] for stack, cells in table.items()} == dict.fromkeys(table, ["·"] * 4)
    assert len(table) == 3


def test_05b_the_picture_of_the_environments_is_the_one_in_docs(home: Home) -> None:
    drawn = atwork(home, "graph")
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout == (ROOT / "docs" / "topology.svg").read_text()


def test_06_a_changed_value_is_one_change_in_the_preview(home: Home) -> None:
    edit(home, "staging", "max_nodes: 6", "max_nodes: 7")
    done = pulumi(home, "preview", "-s", "staging", "--json")
    assert done.returncode == 0, done.stderr
    steps = [step for step in json.loads(done.stdout)["steps"] if step["op"] not in ("same", "read")]
    assert [(step["op"], name_of(step["urn"])) for step in steps] == [("update", "pools-services")]
    assert list(steps[0]["detailedDiff"]) == ["autoscaling.totalMaxNodeCount"]


def test_07_plain_up_applies_it_and_a_refresh_changes_nothing(home: Home) -> None:
    done = pulumi(home, "up", "-s", "staging", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stderr
    assert "~ 1 updated" in done.stdout
    done = pulumi(home, "refresh", "-s", "staging", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stderr
    assert " updated" not in done.stdout
    assert "unchanged" in done.stdout


def test_07b_drift_is_detected_and_reverted(home: Home) -> None:
    cloud = Cloud(home.cloud)
    [pool] = [
        each
        for each in cloud.objects(token="gcp:container/nodePool:NodePool")
        if each.urn.endswith("::pools-services") and ":staging::" in each.urn
    ]
    scaled = {**pool.outputs["autoscaling"], "totalMaxNodeCount": 50}
    inputs, outputs = {**pool.inputs, "autoscaling": scaled}, {**pool.outputs, "autoscaling": scaled}
    cluster = pool.id.rpartition("/nodePools/")[0]
    assert (pool.type, pool.id) in cloud.referrers(cluster)
    cloud.update(replace(pool, inputs=inputs, outputs=outputs), {cluster})
    done = pulumi(home, "preview", "-s", "staging", "--refresh", "--json")
    steps = [step for step in json.loads(done.stdout)["steps"] if step["op"] not in ("same", "read", "refresh")]
    assert [(step["op"], name_of(step["urn"])) for step in steps] == [("update", "pools-services")]
    done = pulumi(home, "up", "-s", "staging", "--yes", "--skip-preview", "--refresh")
    assert done.returncode == 0, done.stderr
    again = cloud.get("", pool.type, pool.id)
    assert again is not None
    assert again.inputs["autoscaling"]["totalMaxNodeCount"] == 7


def test_07c_a_resource_that_the_state_lost_is_imported(home: Home) -> None:
    [lost] = [each for each in resources(home, "staging") if each["type"] == "gcp:dns/policy:Policy"]
    assert pulumi(home, "state", "delete", lost["urn"], "-s", "staging", "--yes").returncode == 0
    done = atwork(home, "sandbox", "up", "staging")
    assert done.returncode == 1
    assert "already exists; import it, or choose another name" in done.stdout
    imports = home.checkout / "import.json"
    imports.write_text(
        json.dumps(
            {
                "nameTable": {"p": provider_of(lost["provider"]), "parent": lost["parent"]},
                "resources": [
                    {
                        "type": lost["type"],
                        "name": name_of(lost["urn"]),
                        "id": lost["id"],
                        "provider": "p",
                        "parent": "parent",
                    }
                ],
            }
        )
    )
    words = ("--file", str(imports), "-s", "staging", "--yes", "--skip-preview", "--generate-code=false")
    done = pulumi(home, "import", *words, "--protect=false")
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(atwork(home, "sandbox", "up", "staging").stdout)["staging"][2:6] == ["·"] * 4


def test_08a_values_of_secrets_reach_neither_state_nor_logs(home: Home) -> None:
    """People add values to Secret Manager and Kubernetes: after a refresh none is in the state or printed."""
    cloud = Cloud(home.cloud)
    values = {kind: f"planted-{kind}-{number}" for number, kind in enumerate(("version", "credential"))}
    holder = next(each for each in cloud.objects(token="gcp:secretmanager/secret:Secret") if each.urn)
    cloud.create(
        CloudObject(
            "",
            "gcp:secretmanager/secretVersion:SecretVersion",
            f"{holder.id}/versions/1",
            "",
            {},
            {"secretData": secret(values["version"])},
        ),
        {holder.id},
    )
    # Jenkins' tokens are made by its chart (docs/adr/0003-jenkins-deploy-rights.md), so no Secret is in the state.
    assert [each.urn for each in cloud.objects(token="kubernetes:core/v1:Secret") if each.urn] == []
    scope = next(each for each in cloud.objects(token="kubernetes:core/v1:Namespace") if each.urn).scope
    cloud.create(
        CloudObject(
            scope,
            "kubernetes:core/v1:Secret",
            "jenkins/slack-token",
            "",
            {},
            {"data": secret({"text": values["credential"]})},
        ),
        set(),
    )
    for stack in ("ci", "staging"):
        done = pulumi(home, "refresh", "-s", stack, "--yes", "--skip-preview")
        assert done.returncode == 0, done.stderr
        printed = done.stdout + done.stderr + pulumi(home, "stack", "export", "-s", stack).stdout
        assert [kind for kind, value in values.items() if value in printed] == []
    for value in values.values():
        assert files_with(value, home.folder, ROOT / "tests" / "golden") == []
    cloud.delete("", "gcp:secretmanager/secretVersion:SecretVersion", f"{holder.id}/versions/1")
    cloud.delete(scope, "kubernetes:core/v1:Secret", "jenkins/slack-token")


def test_08_no_secret_of_the_sandbox_is_in_the_state(home: Home) -> None:
    passphrase = home.passphrase.read_text()
    assert files_with(passphrase, home.folder) == [str(home.passphrase)]


def test_09_a_typo_is_reported_once_with_file_key_and_fix(home: Home) -> None:
    edit(home, "staging", "autoscaling_profile:", "autoscaling_profil:")
    done = atwork(home, "sandbox", "up", "staging")
    file = home.checkout / "stacks" / "Pulumi.staging.yaml"
    line = 1 + file.read_text()[: file.read_text().index("autoscaling_profil:")].count("\n")
    edit(home, "staging", "autoscaling_profil:", "autoscaling_profile:")
    assert done.returncode == 1
    key = "atwork:stack.cluster.autoscaling_profil"
    message = f"stacks/Pulumi.staging.yaml:{line}: {key}: unknown key; did you mean autoscaling_profile?"
    assert (done.stdout + done.stderr).count(message) == 1, done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_10_overlapping_ranges_are_refused_before_anything_is_created(home: Home) -> None:
    edit(home, "production", "10.66.0.0/16", "10.65.0.0/16")
    done = atwork(home, "sandbox", "up", "production")
    edit(home, "production", "10.65.0.0/16", "10.66.0.0/16")
    assert done.returncode == 1
    assert "10.65.0.0/16 overlaps pods 10.65.0.0/16 of" in done.stdout


def test_10b_a_policy_violation_stops_a_preview_if_policies_are_mandatory(home: Home) -> None:
    edit(home, "staging", "point_in_time_days: 3", "point_in_time_days: 0")
    done = atwork(home, "sandbox", "preview", "staging")
    edit(home, "staging", "point_in_time_days: 0", "point_in_time_days: 3")
    assert done.returncode == 1
    assert "staging: database-backups:" in done.stdout
    assert "  resources: database-main-instance" in done.stdout
    assert "settings.backupConfiguration.pointInTimeRecoveryEnabled must be true" in done.stdout
    done = atwork(home, "sandbox", "preview", "ci")
    assert done.returncode == 0
    assert "ci: advice: cluster-secrets-encrypted:" in done.stdout


def test_11_a_destroy_deletes_nothing_of_a_guarded_environment(home: Home) -> None:
    before = resources(home, "production")
    done = atwork(home, "sandbox", "down", "production")
    assert done.returncode == 1
    assert "protect" in done.stdout
    assert "`atwork sandbox reset`" in done.stdout
    assert [each["urn"] for each in resources(home, "production")] == [each["urn"] for each in before]


def test_11b_ci_cannot_be_destroyed_while_other_stacks_read_it(home: Home) -> None:
    before = resources(home, "ci")
    done = atwork(home, "sandbox", "down", "ci")
    assert done.returncode == 1
    assert "ci: production and staging read it; destroy them first, or together: " in done.stderr
    assert "`atwork sandbox down production staging ci`" in done.stderr
    plain = pulumi(home, "destroy", "-s", "ci", "--yes")
    assert plain.returncode != 0
    assert '::registry-services" cannot be deleted' in plain.stdout
    assert resources(home, "ci") == before


def test_12_the_next_update_recovers_a_killed_one(home: Home) -> None:
    edit(home, "ci", "max_nodes: 8", "max_nodes: 9")
    kill_in_call(home, ["sandbox", "up", "ci"], "ci", Operation.update)
    assert len(locks(home, "ci")) == 1
    done = atwork(home, "sandbox", "up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ci: removed the lock of a run that is gone" in done.stdout
    assert locks(home, "ci") == []


def test_13_without_guards_everything_is_destroyed_in_reverse_order(home: Home) -> None:
    files = [stack_file(home.checkout / "stacks", name) for name in ("ci", "staging", "production")]
    lift_settings(*files)
    done = atwork(home, "sandbox", "preview", "production")
    assert done.returncode == 1
    assert "production: deletion-guards:" in done.stdout
    assert "cluster-cluster" in done.stdout
    lift_policy(*files[1:])
    assert atwork(home, "sandbox", "up").returncode == 0
    done = atwork(home, "sandbox", "down")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"ci", "production", "staging"} <= rows(done.stdout).keys()
    assert list(rows(done.stdout))[-1] == "ci"
    assert "Nothing is left." in done.stdout
    left = Cloud(home.cloud).objects()
    assert {each.urn for each in left} == {""}
    # Google Cloud never deletes keys and service agents, and bootstrap owns the secrets; a later `up` can use them.
    assert {each.type.partition(":")[2].partition("/")[0] for each in left} == {"kms", "projects", "secretmanager"}
    assert atwork(home, "sandbox", "up", "ci").returncode == 0


def test_an_update_after_several_kills_ends_as_without_them(tmp_path: Path) -> None:
    home = checkout(tmp_path)
    for number in (1, 30, 60):
        kill_in_call(home, ["sandbox", "up", "ci"], "ci", Operation.create, nth=number)
        assert len(locks(home, "ci")) == 1
    done = atwork(home, "sandbox", "up", "ci")
    assert done.returncode == 0, done.stdout + done.stderr
    assert agrees(home, "ci")
    assert rows(atwork(home, "sandbox", "up", "ci").stdout)["ci"][2:6] == ["·"] * 4


def test_truncated_attribute_files_of_an_older_sandbox_are_removed(tmp_path: Path) -> None:
    """Older versions wrote an `.attrs` file next to each state; the engine fails with EOF if a kill truncated it."""
    home = checkout(tmp_path)
    assert atwork(home, "sandbox", "up", "ci").returncode == 0
    assert list(home.state.rglob("*.attrs")) == [], "the engine writes no `.attrs` files"
    root = home.state / ".pulumi"
    lock = root / "locks" / "organization" / "atwork" / "ci" / "x.json.18a.tmp"
    for path in (root / "meta.yaml.attrs", root / "stacks" / "atwork" / "ci.json.attrs", lock):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    done = pulumi(home, "preview", "-s", "ci", "--expect-no-changes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert pulumi(home, "refresh", "-s", "ci", "--yes", "--skip-preview").returncode == 0
    left = [path.name for path in root.rglob("*") if path.suffix in (".attrs", ".tmp")]
    assert left == []


def test_a_corrupt_cloud_is_reported_and_reset_deletes_it(tmp_path: Path) -> None:
    home = checkout(tmp_path)
    home.folder.mkdir()
    home.cloud.write_bytes(b"not a database" * 100)
    done = atwork(home, "sandbox", "up")
    assert done.returncode == 1
    assert "cloud.sqlite: file is not a database; `atwork sandbox reset`" in done.stderr
    assert atwork(home, "sandbox", "reset", "--yes").returncode == 0
    assert not home.cloud.exists()
