"""The workflows: sound, without known weaknesses, pinned, and with no more rights than they use."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.workflows import actionlint, unpinned, zizmor

from atwork.engine.build import PULUMI
from atwork.report.decision import LABEL
from components.versions import IMAGES
from infra.config import STACKS, read_all
from infra.promotion import Stage

FOLDER = Path(__file__).parents[1] / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


def read(name: str) -> dict[Any, Any]:
    return yaml.safe_load((FOLDER / name).read_text())


def test_actionlint_finds_nothing() -> None:
    assert actionlint(FILES) == ""


def test_zizmor_finds_nothing() -> None:
    assert zizmor(FOLDER) == ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_digest_and_says_its_version(path: Path) -> None:
    assert unpinned(path.read_text()) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_allowed_that_a_job_does_not_ask_for(path: Path) -> None:
    document = read(path.name)
    assert document["permissions"] == {}
    assert "pull_request_target" not in path.read_text()
    for key, job in document["jobs"].items():
        pushes = (path.name, key) == ("reap.yml", "files")
        assert job["permissions"].get("contents") == ("write" if pushes else "read")
        assert not (pushes and "id-token" in job["permissions"]), "what pushes has no identity in the cloud"


def test_only_jobs_of_one_stack_have_an_identity_and_the_one_that_comments_has_none() -> None:
    jobs = read("preview.yml")["jobs"]
    assert "id-token" not in jobs["report"]["permissions"]
    assert jobs["stack"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert jobs["stack"]["environment"] == "preview-${{ matrix.job.environment }}"
    checkout = jobs["report"]["steps"][0]["with"]
    assert checkout["ref"] == "${{ github.event.pull_request.base.sha }}", "main's code writes the comment"


def test_the_report_is_held_to_its_commit_and_only_one_label_makes_it_anew() -> None:
    document = read("preview.yml")
    assert document[True]["pull_request"]["types"] == ["opened", "synchronize", "reopened", "labeled"]
    assert f"github.event.label.name == '{LABEL}'" in document["jobs"]["stacks"]["if"]
    job = document["jobs"]["report"]
    assert "needs.stacks.result != 'skipped'" in job["if"]
    [step] = [step for step in job["steps"] if "atwork report" in step.get("run", "")]
    assert step["env"]["HEAD"] == "${{ github.event.pull_request.head.sha }}"
    assert '--head "$HEAD" --before "$BEFORE"' in step["run"]
    assert "labels" not in str(step), "the report asks GitHub who gave the label, and for what"
    uploaded = job["steps"][-1]
    assert f"--out {uploaded['with']['path']} " in step["run"], "the page of all stacks, which the comment names"


def test_drift_has_an_identity_of_its_own() -> None:
    """A refresh reads Kubernetes Secrets, which what runs the code of a pull request must not."""
    assert read("drift.yml")["jobs"]["stack"]["environment"] == "drift-${{ matrix.job.environment }}"
    assert read("drift.yml")[True].keys() == {"schedule"}, "a schedule runs on main"
    environments = {
        job["environment"] for path in FILES for job in read(path.name)["jobs"].values() if "environment" in job
    }
    assert environments == {
        "preview-${{ matrix.job.environment }}",
        "drift-${{ matrix.job.environment }}",
        "${{ inputs.environment }}",
        "ephemeral",
    }


REAL = re.compile(r"atwork (preview|drift|up|environment (reap|destroy))\b|\bpulumi (preview|up|refresh|destroy)\b")
"""Commands that run the engine against clusters, whose kubeconfig asks gke-gcloud-auth-plugin for tokens."""


def test_every_job_that_runs_the_engine_brings_the_plugin_of_clusters() -> None:
    jobs_with_engine = 0
    for path in FILES:
        for key, job in read(path.name)["jobs"].items():
            steps = job.get("steps", [])
            engines = [at for at, step in enumerate(steps) if REAL.search(step.get("run", ""))]
            if not engines:
                assert "setup-gcloud" not in str(steps), f"{path.name}: {key} runs no engine and installs the plugin"
                continue
            jobs_with_engine += 1
            (at,) = [at for at, step in enumerate(steps) if "setup-gcloud@" in step.get("uses", "")]
            (login,) = [at for at, step in enumerate(steps) if "google-github-actions/auth@" in step.get("uses", "")]
            assert login < at < engines[0], f"{path.name}: {key}: log in, then install, then run"
            assert steps[at]["with"]["install_components"] == "gke-gcloud-auth-plugin"
            assert f"google/cloud-sdk:{steps[at]['with']['version']}-alpine" == IMAGES["gcloud"]
    assert jobs_with_engine == 4


def test_pods_that_run_the_engine_have_the_plugin_of_clusters() -> None:
    """The Dockerfile of pulumi/pulumi installs gcloud and the plugin; those of pulumi/pulumi-LANGUAGE do not.
    https://github.com/pulumi/pulumi-docker-containers/blob/main/docker/pulumi/Dockerfile"""
    assert re.fullmatch(r"pulumi/pulumi:\d+\.\d+\.\d+-nonroot", IMAGES["pulumi"])
    jenkinsfile = (FOLDER.parents[1] / "Jenkinsfile").read_text()
    engines = [match.start() for match in REAL.finditer(jenkinsfile)]
    assert len(engines) >= 4
    [batches] = re.findall(r"^void eachBatch\(.*?^}", jenkinsfile, re.MULTILINE | re.DOTALL)
    assert re.findall(r"container\('(\w+)'\)", batches) == ["pulumi", "pulumi"], "where its body runs"
    for at in engines:
        container = re.findall(r"container\('\w+'\)|eachBatch\('", jenkinsfile[:at])[-1]
        assert container in ("container('pulumi')", "eachBatch('"), jenkinsfile[at : at + 40]


def test_updates_are_never_cut_off_and_follow_each_other_by_stack() -> None:
    concurrency = read("deploy-stack.yml")["jobs"]["up"]["concurrency"]
    assert concurrency == {"group": "deploy-${{ inputs.stacks }}", "cancel-in-progress": False}
    assert not [path.name for path in FILES if path.name.startswith("deploy") and "concurrency" in read(path.name)]
    deploy = read("deploy.yml")["jobs"]
    assert {key: job.get("needs") for key, job in deploy.items()} == {
        "stacks": None,
        "build": ["stacks"],
        "test": ["stacks", "build"],
        "production": ["stacks", "build", "test"],
        "ephemeral": ["stacks", "build"],
    }
    assert [*deploy][1:] == [stage.value for stage in Stage]
    for key, job in deploy.items():
        if key != "stacks":
            assert job["strategy"]["matrix"] == {"update": f"${{{{ fromJSON(needs.stacks.outputs.{key}) }}}}"}
            # A stage that failed stops those after it; one that has no environment is skipped and does not.
            assert "failure()" in job["if"] or key == "build"


def test_an_environment_is_updated_before_its_groups_which_do_not_wait_for_each_other() -> None:
    own, groups = read("deploy-environment.yml")["jobs"].values()
    assert groups["needs"] == "own"
    assert "!failure()" in groups["if"], "an environment that failed stops its groups"
    assert groups["strategy"]["matrix"] == {"stacks": "${{ fromJSON(inputs.groups) }}"}
    assert groups["strategy"]["fail-fast"] is False
    assert own["with"] == {"environment": "${{ inputs.environment }}", "stacks": "${{ inputs.environment }}"}
    assert groups["with"] == {"environment": "${{ inputs.environment }}", "stacks": "${{ matrix.stacks }}"}


def test_what_runs_at_the_same_time_is_limited() -> None:
    """A change of a component reaches every stack, and drift is looked for in all of them."""
    for name, job in (("preview.yml", "stack"), ("drift.yml", "stack"), ("deploy-environment.yml", "groups")):
        assert 1 < read(name)["jobs"][job]["strategy"]["max-parallel"] <= 20


def test_ephemeral_environments_are_ended_by_one_identity_that_is_never_cut_off() -> None:
    document = read("reap.yml")
    assert document["concurrency"] == {"group": "reap", "cancel-in-progress": False}
    reap, files = document["jobs"]["reap"], document["jobs"]["files"]
    assert (reap["environment"], reap["permissions"]["id-token"]) == ("ephemeral", "write")
    assert reap["steps"][0]["with"]["ref"] == files["steps"][0]["with"]["ref"] == "main", (
        "not what a branch says is over"
    )
    [command] = re.findall(r"atwork environment reap (.*) \|\|", reap["steps"][-1]["run"])
    assert command.split() == ["--apply", "--real", "--gone", "gone"]


def test_everybodys_change_is_checked_without_an_identity() -> None:
    check = read("preview.yml")["jobs"]["check"]
    assert check["permissions"] == {"contents": "read"}
    assert "if" not in check
    assert "needs" not in check
    assert "atwork environment check" in check["steps"][-1]["run"]


def outputs(step: dict[str, Any]) -> dict[str, str]:
    """What a step puts out, run as it is where the packages are installed already."""
    script = (
        step["run"].replace("make setup", "").replace(".venv/bin/atwork", str(Path(sys.executable).parent / "atwork"))
    )
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=STACKS.parent,
        env={"GITHUB_OUTPUT": "/dev/stdout", "PATH": "/usr/bin:/bin", "BASE": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def test_no_job_falls_back_to_the_sandbox() -> None:
    """Without its backend a preview would show the sandbox and call it the truth."""
    text = "".join(path.read_text() for path in FILES)
    calls = re.findall(r"atwork (preview|drift|up) (.*)", text)
    assert len(calls) == 3
    assert all("--real" in rest or "--expect merged" in rest for _, rest in calls)


def test_the_stacks_and_the_engine_are_those_of_the_project() -> None:
    for name in ("preview.yml", "drift.yml"):
        jobs = read(name)["jobs"]
        assert jobs["stack"]["strategy"]["matrix"] == {"job": "${{ fromJSON(needs.stacks.outputs.jobs) }}"}
        [divide] = [step for step in jobs["stacks"]["steps"] if step.get("id") == "divide"]
        listed = json.loads(outputs(divide)["jobs"])
        assert {job["environment"] for job in listed} == set(read_all(STACKS))
    if shutil.which("jq", path="/usr/bin:/bin"):
        [every] = [step for step in read("preview.yml")["jobs"]["stacks"]["steps"] if step.get("id") == "list"]
        assert json.loads(outputs(every)["all"]) == sorted(read_all(STACKS))
    stacks = read("deploy.yml")["jobs"]["stacks"]
    assert 'atwork environment jobs --merged --since "$BEFORE" --github' in stacks["steps"][-1]["run"]
    assert [*stacks["outputs"]] == [*Stage]
    pinned = {version for path in FILES for version in re.findall(r"pulumi-version: (\S+)", path.read_text())}
    assert pinned == {PULUMI.version().removeprefix("v")}


def test_stacks_are_named_without_their_groups() -> None:
    """A job has a part of the stacks of an environment, and another job the others."""
    commands = [
        line.strip()
        for path in FILES
        for line in path.read_text().splitlines()
        if re.search(r"atwork (preview|drift|up) ", line) and not line.strip().startswith("#")
    ]
    assert len(commands) == 3
    assert all('"${stacks[@]}" --no-groups' in command for command in commands), commands
