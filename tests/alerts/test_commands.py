"""`atwork alerts`: who is paged, what is left out, and the picture of a rule's cases."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.checkout import ROOT
from typer.testing import CliRunner

from atwork.alerts import commands
from atwork.alerts.cases import CASES, active_rules
from atwork.alerts.evaluation import evaluate
from atwork.alerts.picture import picture
from atwork.cli import app
from atwork.errors import UsageError
from components.monitoring.rule import Threshold
from infra.layout import STACKS_FOLDER


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the stack files of the project."""
    (tmp_path / STACKS_FOLDER).mkdir()
    for path in (ROOT / STACKS_FOLDER).glob("*.yaml"):
        (tmp_path / STACKS_FOLDER / path.name).write_text(path.read_text())
    (tmp_path / "Pulumi.yaml").write_text("name: atwork\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(checkout: Path, stack: str, old: str, new: str) -> None:
    path = checkout / STACKS_FOLDER / f"Pulumi.{stack}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_each_severity_has_its_channels_and_alerts(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.show("production", as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    page = "page → on-call (projects/acme-at-work-production/notificationChannels/4821957036154201873)"
    pages, tickets = lines.index(page), lines.index("ticket → team (platform@example.com)")
    row = next(line for line in lines if line.startswith("volume-full "))
    assert re.split(r"\s{2,}", row.strip()) == ["volume-full", "> 95% for 10 min", "A volume is almost full"]
    assert pages < lines.index(row) < tickets


def test_teams_have_their_channels(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(
        checkout, "production", "        team: {email", "        shop: {email: shop@example.com}\n        team: {email"
    )
    edit(
        checkout,
        "production",
        "note: [team]}",
        "note: [team], teams: {team-shop: {page: [shop, on-call], ticket: [shop]}}}",
    )
    assert commands.show("production", as_json=False) == 0
    lines = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines()]
    index = lines.index(["To the team of the service: slo-burn-fast, slo-burn-slow"])
    on_call = "on-call (projects/acme-at-work-production/notificationChannels/4821957036154201873)"
    assert lines[index + 2 : index + 4] == [
        ["team", "page", "ticket"],
        ["team-shop", f"shop (shop@example.com), {on_call}", "shop (shop@example.com)"],
    ]
    assert commands.show("production", as_json=True) == 0
    production = json.loads(capsys.readouterr().out)["production"]
    assert production["teams"]["team-shop"]["ticket"] == [{"name": "shop", "reaches": "shop@example.com"}]
    assert production["teams"]["team-shop"]["note"] == []
    by_team = {alert["id"] for alert in production["alerts"] if alert["each_team"]}
    assert by_team == {"slo-burn-fast", "slo-burn-slow"}


def test_without_channels_of_teams_none_are_shown(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.show("production", as_json=False) == 0
    assert "To the team" not in capsys.readouterr().out


def test_muted_alerts_have_their_windows(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.show("production", as_json=False) == 0
    output = capsys.readouterr().out
    table = output.split("in maintenance windows")[1].split("\n\n")[0]
    rows = dict(re.split(r"\s{2,}", line.strip()) for line in table.strip().splitlines())
    assert rows["node-not-ready"] == "SA, SU 02:00 UTC for 8 h, not 2026-12-14 to 2027-01-06"
    assert rows["api-slow"] == "SA, SU 02:00 UTC for 8 h"
    assert rows["sql-no-standby"] == "SU 03:00 UTC for 1 h, not 12-14 to 01-06 of each year"
    assert "sql-down" not in rows
    assert commands.show("production", as_json=True) == 0
    alerts = json.loads(capsys.readouterr().out)["production"]["alerts"]
    assert {alert["id"]: alert["muted"] for alert in alerts if alert["muted"]} == rows


def test_windows_of_databases_have_their_names(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = "      reports: {tier: db-custom-2-7680, version: POSTGRES_17, maintenance_day: 6}\n      main:"
    edit(checkout, "production", "      main:", other)
    assert commands.show("production", as_json=False) == 0
    assert re.search(
        r"^sql-no-standby +reports: SA 03:00 UTC for 1 h; main: SU 03:00 UTC for 1 h, not 12-14 to 01-06 of each year",
        capsys.readouterr().out,
        re.MULTILINE,
    )


def test_what_is_left_out_has_its_reason(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(checkout, "production", "CADVISOR, KUBELET]", "CADVISOR]")
    changes = "alerts: {audit-data: {disabled: reviewed elsewhere}, volume-full: {threshold: 97%}}"
    edit(checkout, "production", "      routes: {page:", f"      {changes}\n      routes: {{page:")
    assert commands.show("production", as_json=False) == 0
    output = capsys.readouterr().out
    assert re.search(r"^volume-trend +the cluster does not send KUBELET; add it to cluster", output, re.MULTILINE)
    assert re.search(r"^audit-data +disabled: reviewed elsewhere", output, re.MULTILINE)
    assert re.search(r"^volume-full +> 97% for 10 min \* ", output, re.MULTILINE)
    assert "* changed by this environment" in output
    assert "Only in environments of other stages: build-unschedulable, build-pods-fail" in output


def test_an_environment_without_alerts_is_reported(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (checkout / "stacks/Pulumi.ci.yaml").read_text()
    (checkout / "stacks/Pulumi.ci.yaml").write_text(text[: text.index("    monitoring:")])
    assert commands.show(None, as_json=True) == 0
    environments = json.loads(capsys.readouterr().out)
    assert environments["ci"] is None
    assert {alert["severity"] for alert in environments["production"]["alerts"]} == {"page", "ticket", "note"}
    assert commands.show("ci", as_json=False) == 0
    assert capsys.readouterr().out == "ci: no alerts; its stack file has no section monitoring\n"


@pytest.mark.parametrize("width", [80, 140])
def test_nothing_is_cut_in_a_terminal(checkout: Path, width: int) -> None:
    environment = {"COLUMNS": str(width), "FORCE_COLOR": "1", "TERM": "xterm"}
    for arguments in (["alerts"], ["alerts", "test", "sql-idle-in-transaction"]):
        output = re.sub(r"\x1b\[[0-9;]*m", "", CliRunner(env=environment).invoke(app, arguments).output)
        assert max(map(len, output.splitlines())) <= width
        words = set(re.findall(r"[a-z-]+", output))
        assert {"transactions", "sql-idle-in-transaction"} <= words


def test_an_environment_is_named_without_a_command(checkout: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["alerts", "ci"]).output == runner.invoke(app, ["alerts", "show", "ci"]).output
    assert json.loads(runner.invoke(app, ["alerts", "--json"]).output).keys() == {"ci", "staging", "production"}
    assert "alerts [OPTIONS] COMMAND" in runner.invoke(app, ["alerts", "--help"]).output


def test_unknown_names_are_one_line(checkout: Path) -> None:
    with pytest.raises(UsageError, match=r"^stacks/Pulumi.prod.yaml: file not found; there are ci, .*production"):
        commands.show("prod", as_json=False)
    with pytest.raises(
        UsageError, match=r"^volume-ful: alert not found; did you mean volume-full or volume-filling\?$"
    ):
        commands.test("volume-ful")
    with pytest.raises(UsageError, match=r"^audit-data: only Cloud Logging reads entries of logs; "):
        commands.test("audit-data")


def test_a_picture_shows_the_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.test("volume-filling") == 0
    output = capsys.readouterr().out
    rows = {line[:9].strip(): line[11:] for line in output.splitlines() if len(line) > 11}
    assert set(rows["86%"]) == {"●", "─"}
    assert set(rows["85%"]) == {"◇", "─"}
    assert set(rows["50%"]) == {"○", "─"}
    assert set(rows["quiet"]) == set(rows["boundary"]) == {"·"}
    assert re.fullmatch("░{16}█{48}", rows["firing"])
    assert "ticket at minute 10 ▲" in output
    assert "docs/runbooks/alerts/volume-filling.md" in output
    page = (ROOT / "docs/alerts.md").read_text().split("```\nvolume-filling:")[1].split("```")[0]
    assert page.strip() in "\n".join(line.rstrip() for line in output.splitlines())


def test_a_case_that_fails_ends_the_command_with_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"volume-full": CASES["volume-filling"]}
    monkeypatch.setattr(commands, "CASES", wrong)
    assert commands.test("volume-full") == 1
    assert "volume-full firing" in capsys.readouterr().out


def test_a_value_stays_on_its_side_of_the_threshold(tmp_path: Path) -> None:
    active = active_rules()["sql-logins-fail"]
    lines = picture(
        evaluate(tmp_path, active, CASES[active.rule.id]), active.threshold, "ticket", 100
    ).plain.splitlines()
    limit = next(index for index, line in enumerate(lines) if line.strip().startswith("20 ┤"))
    # 19.9 is less than 20 by less than a row.
    assert "◇" in lines[limit + 1]
    assert "◇" not in "".join(lines[1 : limit + 1])


def test_the_value_of_the_worst_series_is_drawn(tmp_path: Path) -> None:
    rules = active_rules()
    courses = evaluate(tmp_path, rules["deployment-unavailable"], CASES["deployment-unavailable"]).courses
    assert courses["firing"].values[0] == 0
    assert courses["quiet"].values[0] == 3
    assert evaluate(tmp_path, rules["telemetry-gone"], CASES["telemetry-gone"]).courses["quiet"].values == {}


def test_thresholds_in_words() -> None:
    assert Threshold(">", 85, "%").shown(0.861) == "86.1%"
    assert Threshold(">", 5, "restarts").shown(9.25) == "9.25"
