"""Previews of the real program on the real engine: what a reviewer must not be fooled by."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.checkout import copy

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home
from atwork.sandbox.state_files import deployment

pytestmark = pytest.mark.engine


def atwork(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from atwork.cli import main; main()", *words]
    return subprocess.run(
        command, cwd=home.checkout, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def edit(home: Home, stack: str, old: str, new: str) -> None:
    path = home.checkout / "stacks" / f"Pulumi.{stack}.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def preview(home: Home, *stacks: str) -> tuple[int, list[dict[str, Any]]]:
    done = atwork(home, "preview", *stacks, "--format", "json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def tree(folder: Path) -> dict[str, str]:
    """Every file of the state, by its content."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


PLAIN = '\nimport pulumi\n\npulumi.export("probe", "planted-in-clear")\n'
SECRET = PLAIN.replace('"planted-in-clear"', 'pulumi.Output.secret("planted-in-clear")')


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("checkout")
    copy(folder, "infra", "policies")
    edit(Home(folder), "ci", "protect_home: false", "protect_home: true")
    with (folder / "infra" / "__main__.py").open("a") as program:
        program.write(PLAIN)
    done = atwork(Home(folder), "sandbox", "up", "ci")
    assert done.returncode == 0, done.stdout + done.stderr
    return Home(folder)


def test_1_nothing_to_do_is_code_0_and_writes_nothing(home: Home) -> None:
    before = tree(home.state)
    code, [report] = preview(home, "ci")
    assert (code, report["result"], report["changes"], report["complete"]) == (0, "unchanged", [], True)
    held = deployment(home, "ci")["resources"]
    assert isinstance(held, list)
    clouds = [item for item in held if item["type"].startswith(("gcp:", "kubernetes:"))]
    assert report["unchanged"] == len(clouds) > 100  # providers are in no cloud
    assert tree(home.state) == before


def test_2_a_protection_that_goes_is_no_unchanged(home: Home) -> None:
    """The engine counts it as the same and would leave with 0."""
    edit(home, "ci", "protect_home: true", "protect_home: false")
    code, [report] = preview(home, "ci")
    done = atwork(home, "preview", "ci")
    edit(home, "ci", "protect_home: false", "protect_home: true")
    assert (code, report["result"]) == (3, "guarded")
    assert {change["name"]: change["kind"] for change in report["changes"]} == {
        "jenkins-controller-namespace": "guard",
        "jenkins-home": "guard",
    }
    assert "protect goes from true to false; the engine counts this as unchanged" in done.stdout


def test_3_a_protected_replacement_is_a_row_and_not_silence(home: Home) -> None:
    edit(home, "ci", "protect_home: true", "protect_home: true\n      controller: {storage_class: premium-rwo}")
    code, [report] = preview(home, "ci")
    edit(home, "ci", "protect_home: true\n      controller: {storage_class: premium-rwo}", "protect_home: true")
    assert (code, report["result"], report["complete"]) == (3, "blocked", False)
    [change] = [change for change in report["changes"] if change["name"] == "jenkins-home"]
    assert (change["kind"], change["protected"]) == ("replace", True)
    assert [item["path"] for item in change["properties"] if item["replaces"]] == ["spec.storageClassName"]


def test_4_a_program_that_fails_is_a_failure(home: Home) -> None:
    edit(home, "ci", "max_agents: 40", "max_agent: 40")
    code, [report] = preview(home, "ci")
    edit(home, "ci", "max_agent: 40", "max_agents: 40")
    assert (code, report["result"]) == (1, "failed")
    [error] = report["errors"]
    assert re.fullmatch(r"stacks/Pulumi\.ci\.yaml:\d+: .*max_agent: unknown key; did you mean max_agents\?.*", error)


def test_5_a_new_environment_is_previewed_and_makes_nothing(home: Home) -> None:
    before = tree(home.state)
    code, [report] = preview(home, "staging")
    assert code == 2, report["errors"]
    assert report["new"]
    assert report["complete"]
    assert report["counts"]["create"] > 100
    assert tree(home.state) == before
    assert Cloud(home.cloud).objects(token="gcp:sql/databaseInstance:DatabaseInstance") == []


def test_6_only_the_approved_change_is_made(home: Home) -> None:
    edit(home, "ci", "max_nodes: 8", "max_nodes: 9")
    code, [report] = preview(home, "ci")
    assert code == 2
    again = preview(home, "ci")[1][0]["fingerprint"]
    assert report["fingerprint"] == again
    refused = atwork(home, "up", "ci", "--expect", "0" * 12)
    assert refused.returncode == 4
    assert "Refused: the change is" in refused.stdout
    edit(home, "ci", "max_nodes: 9", "max_nodes: 10")
    moved = atwork(home, "up", "ci", "--expect", report["fingerprint"])
    assert moved.returncode == 4
    edit(home, "ci", "max_nodes: 10", "max_nodes: 9")
    done = atwork(home, "up", "ci", "--expect", report["fingerprint"][:12])
    assert done.returncode == 0, done.stdout + done.stderr
    assert preview(home, "ci")[0] == 0


def test_7_drift_is_found_and_nothing_is_written(home: Home) -> None:
    cloud = Cloud(home.cloud)
    [pool] = [
        item for item in cloud.objects(token="gcp:container/nodePool:NodePool") if item.urn.endswith("::pools-agents")
    ]
    scaled = {**pool.outputs["autoscaling"], "totalMaxNodeCount": 50}
    changed = replace(
        pool, inputs={**pool.inputs, "autoscaling": scaled}, outputs={**pool.outputs, "autoscaling": scaled}
    )
    cloud.update(changed, {pool.id.rpartition("/nodePools/")[0]})
    before = tree(home.state)
    assert preview(home, "ci")[0] == 0
    done = atwork(home, "drift", "ci")
    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(r"autoscaling\.totalMaxNodeCount: 50 → 9", done.stdout), done.stdout
    assert done.stdout.count("~ update") == 1, "only drift is reported, not everything that was read"
    assert tree(home.state) == before


def test_8_reports_are_kept_and_read_back_and_a_missing_one_is_a_failure(home: Home, tmp_path: Path) -> None:
    from atwork.report.folder import read

    done = atwork(home, "preview", "ci", "--out", str(tmp_path / "out"))
    assert done.returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report-ci.json", "report.html", "report.md"]
    assert '<figure class="drawing"><svg' in (tmp_path / "out" / "report.html").read_text().replace("\n", "")
    result = read(tmp_path / "out", ["ci", "staging"])
    assert [(item.stack, item.result) for item in result] == [("ci", "unchanged"), ("staging", "failed")]
    assert "no report, because its preview did not end" in result[1].errors[0]


def test_9_what_becomes_a_secret_is_shown_on_neither_side(home: Home, tmp_path: Path) -> None:
    """The engine prints the old value in clear."""
    program = home.checkout / "infra" / "__main__.py"
    program.write_text(program.read_text().replace(PLAIN, SECRET))
    done = atwork(home, "preview", "ci", "--out", str(tmp_path))
    program.write_text(program.read_text().replace(SECRET, PLAIN))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "output probe: [secret] → [secret]" in done.stdout
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "probe" in written
    assert "planted-in-clear" not in written + done.stdout + done.stderr


def test_10_the_row_says_who_holds_the_stack_and_unlock_frees_it_when_that_has_ended(home: Home) -> None:
    lock = home.state / ".pulumi" / "locks" / "organization" / "atwork" / "ci" / "1f0c77ab-0000.json"
    owner = {
        "pid": os.getpid(),
        "username": "ada",
        "hostname": socket.gethostname(),
        "timestamp": datetime.now(UTC).isoformat(),
    }
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps(owner))
    before = tree(home.state)
    code, [report] = preview(home, "ci")
    assert (code, report["complete"]) == (0, True), "a preview takes no lock and waits for none"
    assert report["held"][0]["owner"].startswith(f"ada@{socket.gethostname()}, pid {os.getpid()}")
    kept = atwork(home, "unlock", "ci", "--ended", "1f0c77ab-0000")
    assert (kept.returncode, lock.exists()) == (1, True), kept.stdout
    assert tree(home.state) == before
    child = subprocess.Popen(["true"])
    child.wait()
    lock.write_text(json.dumps({**owner, "pid": child.pid}))
    refused = atwork(home, "up", "ci", "--expect", report["fingerprint"])
    assert refused.returncode == 1
    assert "Refused: ci is locked; `atwork unlock ci` says by whom" in refused.stdout
    freed = atwork(home, "unlock", "ci")
    assert (freed.returncode, lock.exists()) == (0, False), freed.stdout + freed.stderr
    assert atwork(home, "up", "ci", "--expect", report["fingerprint"]).returncode == 0


def test_11_what_a_protection_blocks_is_not_begun(home: Home) -> None:
    """The engine would delete what is not protected before it meets what is."""
    edit(home, "ci", "protect_home: true", "protect_home: true\n      controller: {storage_class: premium-rwo}")
    _, [report] = preview(home, "ci")
    before = tree(home.state)
    refused = atwork(home, "up", "ci", "--expect", report["fingerprint"])
    edit(home, "ci", "protect_home: true\n      controller: {storage_class: premium-rwo}", "protect_home: true")
    assert refused.returncode == 3
    assert "Refused: a protection stops it" in refused.stdout
    assert tree(home.state) == before
