"""What `reap` ends, in which order, and what it never touches."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.environments import atwork, contents, create_ephemeral, ends_in
from support.fake_engine import FakeBackend, resource
from typer.testing import CliRunner

from atwork.cli import app
from atwork.engine.urn import name_of
from atwork.environments import ending
from atwork.environments.derive import moment
from atwork.environments.destroy_journal import DestroyJournal

OVER = timedelta(hours=-2)


@pytest.fixture
def over(checkout: Path, backend: FakeBackend) -> str:
    """A deployed, expired ephemeral environment with everything in its cluster that must be deleted first."""
    create_ephemeral("demo")
    ends_in(checkout, "demo", OVER)
    backend.add(
        "demo",
        resource("kubernetes:core/v1:Service", "web", "demo", {"spec": {"type": "LoadBalancer"}}),
        resource("kubernetes:core/v1:Service", "inner", "demo", {"spec": {"type": "ClusterIP"}}),
        resource("kubernetes:networking.k8s.io/v1:Ingress", "front", "demo"),
        resource("kubernetes:gateway.networking.k8s.io/v1:Gateway", "gate", "demo"),
        resource("kubernetes:core/v1:PersistentVolumeClaim", "disk", "demo"),
        resource("kubernetes:core/v1:Namespace", "orders", "demo"),
    )
    return "demo"


def test_without_apply_nothing_happens(over: str, checkout: Path, backend: FakeBackend) -> None:
    before = contents(checkout)
    done = atwork("reap")
    assert done.exit_code == 0
    assert "expired 2 h ago: 7 resources" in done.output
    assert "Nothing is done without --apply." in done.output
    assert backend.calls == []
    assert contents(checkout) == before


def test_everything_is_deleted_and_the_clusters_cloud_resources_first(
    over: str, checkout: Path, backend: FakeBackend
) -> None:
    done = atwork("reap", "--apply")
    assert done.exit_code == 0, done.output
    tag, inside, destroy, forget = backend.calls
    assert tag.startswith("stack tag set atwork:destroying 20")
    targets = inside.split("--target ")[1:]
    assert [name_of(target.split()[0]) for target in targets] == ["web", "front", "gate", "disk", "orders"]
    assert inside.endswith("--target-dependents")
    assert destroy == "destroy --stack demo --refresh --continue-on-error"
    assert forget == "stack rm demo --preserve-config"
    assert backend.read()["stacks"] == {}
    assert not (checkout / "stacks" / "Pulumi.demo.yaml").exists()
    assert "demo" not in (checkout / "stacks" / "Pulumi.ci.yaml").read_text()
    assert DestroyJournal.of(checkout, "demo").last() == ""


def test_what_is_not_over_protected_or_long_lived_is_never_touched(checkout: Path, backend: FakeBackend) -> None:
    for name, left in (("young", timedelta(hours=50)), ("guarded", OVER), ("extended", OVER)):
        create_ephemeral(name)
        ends_in(checkout, name, left)
    for name in ("ci", "staging", "production", "young"):
        backend.add(name)
    backend.add("guarded", resource("gcp:storage/bucket:Bucket", "data", "guarded", protect=True))
    backend.add("extended", end="2099-01-01t00-00-00")
    before = backend.read()["stacks"]
    done = atwork("reap", "--apply")
    assert done.exit_code == 1
    assert "guarded" in done.output
    assert "but protected: data; unprotect it in a reviewed change" in done.output
    assert "was deployed to end in" in done.output
    assert backend.read()["stacks"] == before
    assert backend.calls == []
    assert {"Pulumi.young.yaml", "Pulumi.guarded.yaml", "Pulumi.extended.yaml"} <= {
        path.name for path in (checkout / "stacks").iterdir()
    }


def test_a_stack_without_a_file_and_a_broken_file_are_reported_and_the_others_continue(
    over: str, checkout: Path, backend: FakeBackend
) -> None:
    backend.add("ghost", resource("gcp:storage/bucket:Bucket", "b", "ghost"))
    create_ephemeral("broken")
    file = checkout / "stacks" / "Pulumi.broken.yaml"
    file.write_text(file.read_text().replace("region:", "regoin:"))
    backend.add("broken")
    done = atwork("reap", "--apply")
    assert done.exit_code == 1
    assert (
        "no stacks/Pulumi.ghost.yaml: bring its file back from git and `atwork environment destroy ghost`"
        in done.output
    )
    assert re.search(
        r"stacks/Pulumi\.broken\.yaml:\d+: atwork:stack\.regoin: unknown key; did you mean region\?", done.output
    )
    assert backend.read()["stacks"].keys() == {"ghost", "broken"}


def test_a_failure_keeps_the_state_and_does_not_stop_the_others(
    over: str, checkout: Path, backend: FakeBackend
) -> None:
    create_ephemeral("other")
    ends_in(checkout, "other", OVER)
    backend.add("other")
    backend.fail("demo", "inside", "the cluster is unreachable")
    backend.fail("demo", "destroy", "quota", "quota again")
    done = atwork("reap", "--apply")
    assert done.exit_code == 1
    assert "quota again" in done.output
    assert "resources are left, and the state is kept: cluster, web" in done.output
    assert backend.read()["stacks"].keys() == {"demo"}, "the other one is gone"
    assert (checkout / "stacks" / "Pulumi.demo.yaml").exists()
    assert DestroyJournal.of(checkout, "demo").last() == "verify"
    done = atwork("reap", "--apply")
    assert done.exit_code == 0, done.output
    assert "an earlier run broke off in the step verify; going on" in done.output
    assert backend.read()["stacks"] == {}


def test_a_load_balancer_that_does_not_go_keeps_the_cluster(over: str, backend: FakeBackend) -> None:
    """Once the cluster is gone, nobody would ever delete it."""
    backend.fail("demo", "inside", "web: timed out waiting for the load balancer")
    done = atwork("reap", "--apply")
    assert done.exit_code == 1
    assert "timed out waiting for the load balancer" in done.output
    assert "the cluster still holds something in the cloud" in done.output
    assert len(backend.read()["stacks"]["demo"]) == 8
    assert not any(call.startswith("destroy --stack demo --refresh") for call in backend.calls)


def test_what_a_dead_cluster_held_is_given_up(checkout: Path, backend: FakeBackend) -> None:
    create_ephemeral("demo")
    ends_in(checkout, "demo", OVER)
    backend.add(
        "demo",
        resource("kubernetes:core/v1:Namespace", "orders", "demo", live=False),
        resource("kubernetes:helm.sh/v3:Release", "jenkins", "demo"),
    )
    content = backend.read()
    content["stacks"]["demo"][1]["live"] = False  # the cluster itself
    backend.write(content)
    backend.fail("demo", "inside", "configured Kubernetes cluster is unreachable")
    backend.fail("demo", "destroy", "and still unreachable")
    done = atwork("reap", "--apply")
    assert done.exit_code == 0, done.output
    assert backend.calls[3:] == [
        "refresh --stack demo unreachable-goes",
        "state delete urn:pulumi:demo::atwork::kubernetes:helm.sh/v3:Release::jenkins --stack demo",
        "destroy --stack demo --refresh --continue-on-error unreachable-goes",
        "stack rm demo --preserve-config",
    ]


def test_a_release_of_a_cluster_that_lives_is_never_given_up(over: str, checkout: Path, backend: FakeBackend) -> None:
    backend.add("demo", resource("kubernetes:helm.sh/v3:Release", "jenkins", "demo"))
    backend.fail("demo", "inside", "cluster is unreachable")
    backend.fail("demo", "destroy", "no", "no")
    assert atwork("reap", "--apply").exit_code == 1
    assert not any(call.startswith("state delete") for call in backend.calls)
    assert len(backend.read()["stacks"]["demo"]) == 3


def test_the_files_that_are_left_go_too_or_are_named_for_a_pull_request(
    checkout: Path, backend: FakeBackend, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        create_ephemeral(name)
        ends_in(checkout, name, OVER)
    backend.add("one")
    gone = tmp_path / "gone"
    before = contents(checkout)
    assert "expired 2 h ago, gone; its files are left" in atwork("reap").output
    assert atwork("reap", "--apply", "--gone", str(gone)).exit_code == 0
    assert gone.read_text().split() == ["one", "two"]
    assert contents(checkout) == before
    assert atwork("reap", "--apply").exit_code == 0
    assert "no ephemeral environments" in atwork("reap").output


def test_ci_never_takes_the_sandbox_for_the_truth(checkout: Path) -> None:
    assert "PULUMI_BACKEND_URL is not set" in str(atwork("reap", "--real").exception)


class Slack:
    """A webhook that records its messages; `code` is the status of its responses."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.code = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

            def do_POST(self) -> None:
                outer.messages.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
                self.send_response(outer.code)
                self.send_header("content-length", "0")
                self.end_headers()

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever)
        self.thread.start()


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slack]:
    webhook = Slack()
    monkeypatch.setenv("SLACK_WEBHOOK_URL", f"http://127.0.0.1:{webhook.http.server_port}/hook")
    yield webhook
    webhook.http.shutdown()
    webhook.http.server_close()
    webhook.thread.join()


def test_an_owner_is_warned_once_for_each_span(checkout: Path, backend: FakeBackend, slack: Slack) -> None:
    create_ephemeral("demo")
    backend.add("demo")
    ends_in(checkout, "demo", timedelta(hours=49))
    atwork("reap", "--apply")
    assert slack.messages == []
    end = ends_in(checkout, "demo", timedelta(hours=47, minutes=30))
    assert "its owner is to be warned" in atwork("reap").output
    assert slack.messages == [], "a dry run sends no message"
    for _ in range(3):  # each hour, on a machine that knows nothing of the last one
        assert atwork("reap", "--apply").exit_code == 0
    [message] = slack.messages
    assert message.startswith(f"The environment demo of team-orders ends in 47 h, at {moment(end)}, and goes with all")
    assert message.endswith("Longer: `atwork environment extend demo --ttl 24h` and a pull request.")
    ends_in(checkout, "demo", timedelta(minutes=90))
    for _ in range(2):
        atwork("reap", "--apply")
    assert len(slack.messages) == 2
    assert "ends in 1 h" in slack.messages[1]
    ends_in(checkout, "demo", timedelta(hours=40))  # extended: another end, another warning
    atwork("reap", "--apply")
    assert len(slack.messages) == 3
    assert [call for call in backend.calls if not call.startswith("stack tag")] == []


def test_a_short_life_is_not_warned_at_its_beginning(checkout: Path, backend: FakeBackend, slack: Slack) -> None:
    create_ephemeral("demo")
    backend.add("demo")
    ends_in(checkout, "demo", timedelta(hours=23), life=timedelta(hours=24))
    atwork("reap", "--apply")
    assert slack.messages == []


def test_a_warning_that_is_not_taken_is_tried_again(checkout: Path, backend: FakeBackend, slack: Slack) -> None:
    create_ephemeral("demo")
    backend.add("demo")
    ends_in(checkout, "demo", timedelta(hours=1))
    slack.code = 500
    assert atwork("reap", "--apply").exit_code == 1
    slack.code = 200
    assert atwork("reap", "--apply").exit_code == 0
    assert len(slack.messages) == 2
    assert backend.read()["tags"]["demo"].keys() == {"atwork:warned"}


def test_a_failure_is_reported_in_slack(over: str, backend: FakeBackend, slack: Slack) -> None:
    backend.fail("demo", "inside", "web: no quota")
    atwork("reap", "--apply")
    [message] = slack.messages
    assert message.startswith("demo (team-orders) could not be ended: ")


def test_the_steps_are_those_that_the_journal_tells(over: str, checkout: Path, backend: FakeBackend) -> None:
    backend.fail("demo", "destroy", "no", "no")
    atwork("reap", "--apply")
    lines = DestroyJournal.of(checkout, "demo").path.read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(ending.STEPS[:5])


def test_a_deploy_leaves_what_is_over_alone(checkout: Path) -> None:
    """No engine is started: main is deployed again while the ephemeral environment goes."""
    create_ephemeral("demo")
    ends_in(checkout, "demo", OVER)
    done = CliRunner().invoke(app, ["up", "demo", "--expect", "merged"])
    assert done.exit_code == 0
    assert "demo is an ephemeral environment whose time is over: it is not updated" in done.output
    assert not (checkout / ".sandbox").exists()
