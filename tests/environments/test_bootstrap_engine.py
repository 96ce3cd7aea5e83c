"""`pulumi stack init` as bootstrap runs it, by the real engine: what is in the state and in the stack file then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from support import checkout

from atwork.engine.build import ensure
from atwork.environments.bootstrap import plan as plans
from atwork.environments.bootstrap.google_errors import GoogleError
from atwork.environments.bootstrap.stack import run_engine

pytestmark = pytest.mark.engine


def test_the_state_is_where_it_is_looked_for_and_the_file_keeps_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkout.copy(tmp_path)
    state = tmp_path / "state"
    state.mkdir()
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "rehearsal")
    file = folder / "stacks" / "Pulumi.staging.yaml"
    before = yaml.safe_load(file.read_text())
    engine = ensure(Console(stderr=True)).path
    words = ["stack", "init", "staging", "--secrets-provider", "passphrase", "--no-select"]
    run_engine(engine, words, folder, f"file://{state}")
    state_file = json.loads((state / plans.read("staging", folder / "stacks").state_object).read_text())
    secrets = state_file["checkpoint"]["latest"]["secrets_providers"]
    assert secrets["type"] == "passphrase"
    document = yaml.safe_load(file.read_text())
    assert document.pop("encryptionsalt") == secrets["state"]["salt"], "the lines of the file are those of the state"
    assert document == before
    with pytest.raises(GoogleError, match=r"pulumi stack init staging: .*already exists"):
        run_engine(engine, words, folder, f"file://{state}")
