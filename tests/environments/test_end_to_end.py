"""A popup's life on the real engine: made, up, previewed, extended, gone, and nothing is left of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import copy

from atwork.sandbox.cloud import Cloud

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]


def test_a_popup_comes_and_goes_whole(tmp_path: Path) -> None:
    copy(tmp_path, "infra", "policies")
    before = (tmp_path / "stacks" / "Pulumi.ci.yaml").read_text()

    def atwork(*words: str, code: int = 0) -> str:
        command = [sys.executable, "-c", "from atwork.cli import main; main()", *words]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    place = ("--folder", "123456789012", "--billing-account", "01AB23-CD45EF-678901")
    atwork("environment", "new", "demo", "--owner", "team-orders", *place)
    atwork("sandbox", "up", "ci", "demo")
    cloud = Cloud(tmp_path / ".sandbox" / "cloud.sqlite")
    [project] = cloud.objects(kind="gcp:organizations/project:Project")
    mine = [one for one in cloud.objects() if one.urn.startswith("urn:pulumi:demo::")]
    assert len(mine) > 70
    assert "demo is still up in the sandbox" in atwork("environment", "remove", "demo", code=1)
    atwork("environment", "extend", "demo", "--ttl", "3d")
    assert "expires-at" in atwork("preview", "demo", code=2)  # the label on everything
    atwork("sandbox", "up", "demo")
    assert "Nothing is left." in atwork("sandbox", "down", "demo")
    left = [one for one in cloud.objects() if one.urn.startswith("urn:pulumi:demo::")]
    assert left == []
    assert cloud.get("", project.type, project.id) is None
    atwork("environment", "remove", "demo")
    atwork("sandbox", "up", "ci")
    assert [one for one in cloud.objects() if "demo" in one.id and one.urn] == []
    assert (tmp_path / "stacks" / "Pulumi.ci.yaml").read_text() == before
