"""The script that signs releases, against an API that fails: one line, and nothing half-done passes for done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.http_server import QuietHandler, serving

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "delivery" / "resources" / "promote" / "attest.py"
KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/releases/cryptoKeyVersions/1"
DIGEST = f"sha256:{'a' * 64}"
RELEASE = {
    "image": f"europe-docker.pkg.dev/p/services/stock@{DIGEST}",
    "key": KEY,
    "releases": "projects/p/notes/platform-releases",
    "provenance": "projects/p/notes/platform-provenance",
    "service": "stock",
    "version": "1.0.0-1.gabcdef12",
    "repository": "https://github.com/acme/stock",
    "commit": "abcdef12" + "0" * 32,
    "job": "services/stock/main",
    "number": "1",
    "builder": "https://jenkins.example.com/",
}
Answers = dict[str, list[tuple[int, Any]]]


@contextmanager
def google(answers: Answers, asked: list[tuple[str, Any]]) -> Generator[str]:
    """An API that gives its answers in turn, the last one for ever, by a part of the path."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 (the server's name for it)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, body))
            turns = next(given for part, given in answers.items() if part in self.path)
            status, answer = turns.pop(0) if len(turns) > 1 else turns[0]
            data = json.dumps(answer).encode() if not isinstance(answer, bytes) else answer
            self.answer(status, data)

    with serving(Handler) as address:
        yield address


def attest(folder: Path, answers: Answers) -> tuple[subprocess.CompletedProcess[str], list[tuple[str, Any]]]:
    """Run the script with its pauses cut and its APIs on loopback; returns what they were asked, too."""
    asked: list[tuple[str, Any]] = []
    with google(answers, asked) as address:
        text = SCRIPT.read_text().replace("PAUSES = (1, 3, 9)", "PAUSES = (0, 0)")
        for host in ("cloudkms", "containeranalysis"):
            text = text.replace(f"https://{host}.googleapis.com", address)
        (folder / "attest.py").write_text(text)
        (folder / "release.json").write_text(json.dumps(RELEASE))
        (folder / "gcloud").write_text("#!/bin/sh\necho token\n")
        (folder / "gcloud").chmod(0o755)
        done = subprocess.run(
            [sys.executable, "attest.py", "release.json"],
            cwd=folder,
            env={"PATH": f"{folder}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
    return done, asked


SIGNED = (200, {"name": KEY, "signature": "c2lnbmVk"})
STORED = (200, {"name": "projects/p/occurrences/1"})


def test_both_statements_are_attached_the_attestation_last(tmp_path: Path) -> None:
    done, asked = attest(tmp_path, {":asymmetricSign": [SIGNED], "/occurrences": [STORED]})
    assert (done.returncode, done.stdout, done.stderr) == (0, f"attested {RELEASE['image']}\n", "")
    assert [path.rpartition("/")[2] for path, _ in asked] == ["1:asymmetricSign", "occurrences"] * 2
    notes = [body["noteName"] for path, body in asked if path.endswith("/occurrences")]
    assert notes == [RELEASE["provenance"], RELEASE["releases"]]


def test_a_server_that_fails_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    busy = [(429, {}), (503, {}), SIGNED]
    done, asked = attest(tmp_path, {":asymmetricSign": busy, "/occurrences": [STORED]})
    assert done.stdout.startswith("attested ")
    assert len(asked) == 6


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (
            {":asymmetricSign": [(403, {"error": {"message": "Permission 'useToSign'\ndenied"}})]},
            "403 Permission 'useToSign' denied",
        ),
        ({":asymmetricSign": [(500, b"<html>")]}, "500 Internal Server Error"),
        ({":asymmetricSign": [(429, {})]}, "429 Too Many Requests"),
        ({":asymmetricSign": [(200, {"name": KEY})]}, f"{KEY} made no signature"),
        ({":asymmetricSign": [(200, {"name": "another", "signature": "x"})]}, f"{KEY} made no signature"),
        (
            {":asymmetricSign": [SIGNED], "/occurrences": [(404, {"error": {"message": "note was not found"}})]},
            "404 note was not found",
        ),
        ({":asymmetricSign": [SIGNED], "/occurrences": [(200, {})]}, "platform-provenance has no new attestation"),
    ],
)
def test_what_fails_is_one_line(tmp_path: Path, answers: Answers, why: str) -> None:
    done, _ = attest(tmp_path, answers)
    assert (done.returncode, done.stderr) == (1, "")
    [line] = done.stdout.splitlines()
    assert why in line
    assert not line.startswith("attested")


def test_without_a_login_nothing_is_asked(tmp_path: Path) -> None:
    (tmp_path / "gcloud").write_text("#!/bin/sh\necho 'no account' >&2\nexit 1\n")
    (tmp_path / "gcloud").chmod(0o755)
    (tmp_path / "release.json").write_text(json.dumps(RELEASE))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "release.json")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "gcloud has no token: no account\n")
