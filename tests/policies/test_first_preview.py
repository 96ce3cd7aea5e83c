"""The first preview of an environment on the real engine, when its cluster and Kubernetes provider do not exist yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import copy

pytestmark = pytest.mark.engine

EXTRA_NAMESPACE = """
import pulumi_kubernetes

complete = environment_stack.tenants.make


def make(*arguments, cluster_provider, **others):
    complete(*arguments, cluster_provider=cluster_provider, **others)
    pulumi_kubernetes.core.v1.Namespace(
        "open",
        metadata={"name": "open", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        opts=pulumi.ResourceOptions(provider=cluster_provider),
    )


environment_stack.tenants.make = make

"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which ci is up, because staging reads its outputs, and staging is not."""
    folder = copy(tmp_path_factory.mktemp("checkout"), "infra", "policies")
    done = atwork(folder, "up", "ci")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def atwork(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from atwork.cli import main; main()", "sandbox", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_the_first_preview_satisfies_every_rule(checkout: Path) -> None:
    done = atwork(checkout, "preview", "staging")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "namespace" not in done.stdout


def test_a_namespace_without_network_policy_is_refused_in_the_first_preview(checkout: Path) -> None:
    program = checkout / "infra" / "__main__.py"
    text = program.read_text()
    assert "\nif here.group" in text
    program.write_text(text.replace("\nif here.group", f"{EXTRA_NAMESPACE}\nif here.group"))
    done = atwork(checkout, "preview", "staging")
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    assert "namespace open has no NetworkPolicy" in output
    assert "namespace open has no ResourceQuota" in output
    assert output.count("has no NetworkPolicy") == 1, output
