"""The three environments on the real engine, from their real stack files: the whole life of the platform.

One checkout is brought up once; the tests follow each other in the order of a life, from `up` to nothing.
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
    found = (line.split() for line in output.splitlines())
    return {cells[0]: cells[1:8] for cells in found if len(cells) > 8 and cells[1] in ("done", "failed")}


def resources(home: Home, stack: str) -> list[dict[str, Any]]:
    found = deployment(home, stack).get("resources") or []
    assert isinstance(found, list)
    return found


def holding(value: str, *folders: Path) -> list[str]:
    """Files below folders that hold a value. By another process: SQLite's locks go when ours closes its file."""
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
    """Whether the state and the simulated cloud hold the same objects."""
    kept = Counter(
        one["id"]
        for stack in stacks
        for one in resources(home, stack)
        if one["type"].startswith(("gcp:", "kubernetes:"))
    )
    return kept == Counter(one.id for one in Cloud(home.cloud).objects() if one.urn)


def test_01_a_preview_before_anything_says_what_to_do(home: Home) -> None:
    done = atwork(home, "sandbox", "preview")
    assert done.returncode == 1
    assert "staging reads the outputs of ci, which is not up; run `atwork sandbox up` first" in done.stderr


def test_02_up_makes_three_environments(home: Home) -> None:
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


def test_03_the_stack_files_were_not_touched(home: Home) -> None:
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


def test_05b_the_picture_of_what_is_up_is_the_readmes(home: Home) -> None:
    drawn = atwork(home, "graph")
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout == (ROOT / "docs" / "topology.svg").read_text()


def test_06_one_value_changed_is_one_change_in_the_preview(home: Home) -> None:
    edit(home, "staging", "max_nodes: 6", "max_nodes: 7")
    done = pulumi(home, "preview", "-s", "staging", "--json")
    assert done.returncode == 0, done.stderr
    steps = [step for step in json.loads(done.stdout)["steps"] if step["op"] not in ("same", "read")]
    assert [(step["op"], name_of(step["urn"])) for step in steps] == [("update", "pools-services")]
    assert list(steps[0]["detailedDiff"]) == ["autoscaling.totalMaxNodeCount"]


def test_07_plain_up_makes_it_and_refresh_finds_nothing(home: Home) -> None:
    done = pulumi(home, "up", "-s", "staging", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stderr
    assert "~ 1 updated" in done.stdout
    done = pulumi(home, "refresh", "-s", "staging", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stderr
    assert " updated" not in done.stdout
    assert "unchanged" in done.stdout


def test_07b_what_changed_behind_our_back_is_found_and_put_right(home: Home) -> None:
    cloud = Cloud(home.cloud)
    [pool] = [
        one
        for one in cloud.objects(token="gcp:container/nodePool:NodePool")
        if one.urn.endswith("::pools-services") and ":staging::" in one.urn
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


def test_07c_what_the_state_lost_is_imported_again(home: Home) -> None:
    [lost] = [one for one in resources(home, "staging") if one["type"] == "gcp:sql/database:Database"]
    assert pulumi(home, "state", "delete", lost["urn"], "-s", "staging", "--yes").returncode == 0
    done = atwork(home, "sandbox", "up", "staging")
    assert done.returncode == 1
    assert "already exists; import it, or choose another name" in done.stdout
    listed = home.checkout / "import.json"
    listed.write_text(
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
    words = ("--file", str(listed), "-s", "staging", "--yes", "--skip-preview", "--generate-code=false")
    done = pulumi(home, "import", *words, "--protect=false")
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(atwork(home, "sandbox", "up", "staging").stdout)["staging"][2:6] == ["·"] * 4


def test_08a_values_of_secrets_reach_neither_state_nor_logs(home: Home) -> None:
    """People put values into Secret Manager, Kubernetes fills tokens in: after a refresh none is in clear anywhere."""
    cloud = Cloud(home.cloud)
    values = {kind: f"planted-{kind}-{number}" for number, kind in enumerate(("version", "token", "credential"))}
    holder = next(one for one in cloud.objects(token="gcp:secretmanager/secret:Secret") if one.urn)
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
    tokens = [one for one in cloud.objects(token="kubernetes:core/v1:Secret") if one.urn]
    assert tokens
    for token in tokens:
        filled = {**token.outputs, "data": secret({"token": values["token"]})}
        cloud.update(replace(token, outputs=filled), set())
    cloud.create(
        CloudObject(
            tokens[0].scope,
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
    # In the state there is what Kubernetes filled in, and it is encrypted: whoever has the passphrase can show it.
    assert values["token"] in pulumi(home, "stack", "export", "-s", "ci", "--show-secrets").stdout
    for value in values.values():
        assert holding(value, home.folder, ROOT / "tests" / "golden") == []
    cloud.delete("", "gcp:secretmanager/secretVersion:SecretVersion", f"{holder.id}/versions/1")
    cloud.delete(tokens[0].scope, "kubernetes:core/v1:Secret", "jenkins/slack-token")


def test_08_no_secret_of_the_sandbox_is_in_the_state(home: Home) -> None:
    passphrase = home.passphrase.read_text()
    assert holding(passphrase, home.folder) == [str(home.passphrase)]


def test_09_a_typo_is_told_once_with_file_key_and_fix(home: Home) -> None:
    edit(home, "staging", "autoscaling_profile:", "autoscaling_profil:")
    done = atwork(home, "sandbox", "up", "staging")
    edit(home, "staging", "autoscaling_profil:", "autoscaling_profile:")
    assert done.returncode == 1
    told = "stacks/Pulumi.staging.yaml: atwork:stack.cluster.autoscaling_profil: unknown key; did you mean autoscaling_profile?"
    assert (done.stdout + done.stderr).count(told) == 1, done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_10_ranges_that_overlap_are_refused_before_anything_is_made(home: Home) -> None:
    edit(home, "production", "10.66.0.0/16", "10.65.0.0/16")
    done = atwork(home, "sandbox", "up", "production")
    edit(home, "production", "10.65.0.0/16", "10.66.0.0/16")
    assert done.returncode == 1
    assert "10.65.0.0/16 overlaps pods 10.65.0.0/16 of" in done.stdout


def test_10b_a_broken_policy_stops_an_update_where_policies_are_mandatory(home: Home) -> None:
    edit(home, "staging", "point_in_time_days: 3", "point_in_time_days: 0")
    done = atwork(home, "sandbox", "preview", "staging")
    edit(home, "staging", "point_in_time_days: 0", "point_in_time_days: 3")
    assert done.returncode == 1
    assert "database-main-instance: database-backups:" in done.stdout
    assert "settings.backupConfiguration.pointInTimeRecoveryEnabled must be true" in done.stdout
    done = atwork(home, "sandbox", "preview", "ci")
    assert done.returncode == 0
    assert "ci: advice: cluster-cluster: cluster-secrets-encrypted:" in done.stdout


def test_11_a_guarded_environment_loses_nothing_to_a_destroy(home: Home) -> None:
    before = resources(home, "production")
    done = atwork(home, "sandbox", "down", "production")
    assert done.returncode == 1
    assert "protect" in done.stdout
    assert "`atwork sandbox reset`" in done.stdout
    assert [one["urn"] for one in resources(home, "production")] == [one["urn"] for one in before]


def test_11b_ci_stays_while_others_read_it(home: Home) -> None:
    before = resources(home, "ci")
    done = atwork(home, "sandbox", "down", "ci")
    assert done.returncode == 1
    assert "ci: production and staging read it; destroy them first, or together: " in done.stderr
    assert "`atwork sandbox down production staging ci`" in done.stderr
    plain = pulumi(home, "destroy", "-s", "ci", "--yes")
    assert plain.returncode != 0
    assert '::registry-services" cannot be deleted' in plain.stdout
    assert resources(home, "ci") == before


def test_12_a_killed_run_is_recovered_by_the_next(home: Home) -> None:
    edit(home, "ci", "max_nodes: 8", "max_nodes: 9")
    kill_in_call(home, ["sandbox", "up", "ci"], "ci", Operation.update)
    assert len(locks(home, "ci")) == 1
    done = atwork(home, "sandbox", "up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ci: removed the lock of a run that is gone" in done.stdout
    assert locks(home, "ci") == []


def test_13_guards_lifted_everything_goes_in_reverse_order(home: Home) -> None:
    files = [stack_file(home.checkout / "stacks", name) for name in ("ci", "staging", "production")]
    lift_settings(*files)
    done = atwork(home, "sandbox", "preview", "production")
    assert done.returncode == 1
    assert "cluster-cluster: deletion-guards:" in done.stdout
    lift_policy(*files[1:])
    assert atwork(home, "sandbox", "up").returncode == 0
    done = atwork(home, "sandbox", "down")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"ci", "production", "staging"} <= rows(done.stdout).keys()
    assert list(rows(done.stdout))[-1] == "ci"
    assert "Nothing is left." in done.stdout
    left = Cloud(home.cloud).objects()
    assert {one.urn for one in left} == {""}
    # Google Cloud never deletes keys and agents, and secrets are of bootstrap; a later environment is made beside them.
    assert {one.type.partition(":")[2].partition("/")[0] for one in left} == {"kms", "projects", "secretmanager"}
    assert atwork(home, "sandbox", "up", "ci").returncode == 0


def test_an_up_killed_again_and_again_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    home = checkout(tmp_path)
    for number in (1, 30, 60):
        kill_in_call(home, ["sandbox", "up", "ci"], "ci", Operation.create, nth=number)
        assert len(locks(home, "ci")) == 1
    done = atwork(home, "sandbox", "up", "ci")
    assert done.returncode == 0, done.stdout + done.stderr
    assert agrees(home, "ci")
    assert rows(atwork(home, "sandbox", "up", "ci").stdout)["ci"][2:6] == ["·"] * 4


def test_a_sandbox_of_before_whose_notes_a_kill_cut_off_goes_on(tmp_path: Path) -> None:
    """The engine wrote notes beside each of its files, in place; an empty one is "failed to load checkpoint: EOF"."""
    home = checkout(tmp_path)
    assert atwork(home, "sandbox", "up", "ci").returncode == 0
    assert list(home.state.rglob("*.attrs")) == [], "the engine writes none any more"
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


def test_a_corrupt_cloud_is_named_and_reset_starts_anew(tmp_path: Path) -> None:
    home = checkout(tmp_path)
    home.folder.mkdir()
    home.cloud.write_bytes(b"not a database" * 100)
    done = atwork(home, "sandbox", "up")
    assert done.returncode == 1
    assert "cloud.sqlite: file is not a database; `atwork sandbox reset`" in done.stderr
    assert atwork(home, "sandbox", "reset", "--yes").returncode == 0
    assert not home.cloud.exists()
