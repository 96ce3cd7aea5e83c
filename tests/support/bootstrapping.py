"""Runs a bootstrap against a Google of our own, in a process that can kill itself at any point."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import AnonymousCredentials
from support.google import FakeGoogle

from atwork.engine.build import PULUMI
from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.journal import BootstrapJournal
from atwork.environments.bootstrap.run import bootstrap
from infra import CONFIG_KEY

ENGINE = """\
import json, os, pathlib, signal, sys, urllib.request
backend = os.environ["PULUMI_BACKEND_URL"]
with open("{log}", "a") as log:
    log.write(json.dumps([backend, sys.argv[1:]]) + "\\n")
name, url = sys.argv[3], sys.argv[sys.argv.index("--secrets-provider") + 1]
latest = {{"secrets_providers": {{"type": "cloud", "state": {{"url": url, "encryptedkey": "c2VjcmV0"}}}}}}
target = "{endpoint}/engine/" + backend.removeprefix("gs://") + "/o/.pulumi/stacks/atwork/" + name + ".json"
body = json.dumps({{"version": 3, "checkpoint": {{"latest": latest}}}}).encode()
urllib.request.urlopen(urllib.request.Request(target, body, {{"Content-Type": "application/json"}}, method="PUT")).read()
if os.environ.get("FAKE_ENGINE") == "half":
    os.kill(os.getppid(), signal.SIGKILL)
    sys.exit(1)
file = pathlib.Path("stacks", "Pulumi." + name + ".yaml")
text = "".join(line for line in file.read_text().splitlines(keepends=True) if line.strip())
file.write_text(text + "encryptedkey: c2VjcmV0\\nsecretsprovider: " + url + "\\n")
"""
"""Does what `pulumi stack init` does: the state first, the lines in the stack file after it, and no blank lines there."""


RING = "projects/acme-at-work-admin/locations/europe-west1/keyRings/atwork-state"


@dataclass(frozen=True)
class Account:
    """A checkout and the Google that its clients reach."""

    checkout: Path
    fake: FakeGoogle
    endpoint: str

    @property
    def stack_file(self) -> Path:
        """The file that bootstrap works on."""
        return self.checkout / "stacks" / "Pulumi.staging.yaml"


def opened_account(fake: FakeGoogle) -> FakeGoogle:
    """An organization with a billing account, and ci after its bootstrap."""
    fake.state.accounts["01AB23-CD45EF-678901"] = True
    fake.state.keys[f"{RING}/cryptoKeys/ci"] = {
        "name": f"{RING}/cryptoKeys/ci",
        "purpose": "ENCRYPT_DECRYPT",
        "primary": {"name": "1", "state": "ENABLED"},
    }
    ci = {"name": "projects/482015730914", "projectId": "acme-at-work-ci", "state": "ACTIVE"}
    fake.state.projects["acme-at-work-ci"] = ci
    return fake


def engine(folder: Path, endpoint: str) -> Path:
    """An engine that knows `stack init`, and logs how it was called."""
    path, script = folder / "pulumi", folder / "pulumi.py"
    script.write_text(ENGINE.format(log=folder / "pulumi.log", endpoint=endpoint))
    path.write_text(
        f'#!/bin/sh\n[ "$1" = version ] && echo {PULUMI.version()} && exit\nexec {sys.executable} {script} "$@"\n'
    )
    path.chmod(0o755)
    return path


def calls(folder: Path) -> list[Any]:
    """How the engine was called."""
    log = folder / "pulumi.log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def created(file: Path, folder: str = "571903264418") -> None:
    """Make a stack file one whose project is not there yet, as `atwork environment new` writes it."""
    document = yaml.safe_load(file.read_text())
    project = document["config"][CONFIG_KEY]["project"]
    project.pop("number", None)
    project["create"] = {"name": "Staging", "folder_id": folder, "billing_account": "01AB23-CD45EF-678901"}
    file.write_text(yaml.safe_dump(document, sort_keys=False))


def private_key() -> str:
    """A key in the form that GitHub hands out."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def google(endpoint: str, patience: float = 5) -> Google:
    """The client's side, without credentials."""
    return Google(AnonymousCredentials(), "a test", endpoint, patience, 0.01)


def run(checkout: Path, endpoint: str, *, name: str = "staging", resume: bool = False) -> int:
    """A bootstrap in this process."""
    os.environ["ATWORK_PULUMI"] = str(engine(checkout, endpoint))
    return bootstrap(checkout, name, resume=resume, dry_run=False, login=lambda: google(endpoint))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _with_fault(checkout: Path, endpoint: str, step: str, fault: str, name: str) -> None:
    now: list[str] = [""]
    write, send = BootstrapJournal.write, requests.Session.send

    def writes(journal: BootstrapJournal, event: str, **more: str) -> None:
        if event == "done" and more["step"] == step and fault == "before it is noted":
            _die()
        if event == "begin":
            now[0] = more["step"]
        write(journal, event, **more)
        if event == "begin" and more["step"] == step and fault == "before it begins":
            _die()

    def sends(session: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        answer = send(session, request, **more)
        reads = request.method == "GET" or str(request.url).partition("?")[0].endswith(":getIamPolicy")
        if now[0] == step and fault == "after its first change" and not reads:
            _die()
        return answer

    BootstrapJournal.write, requests.Session.send = writes, sends  # type: ignore[method-assign]
    if step == "stack" and fault == "after its first change":
        os.environ["FAKE_ENGINE"] = "half"
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    run(checkout, endpoint, name=name)


def killed(checkout: Path, endpoint: str, step: str, fault: str, *, name: str = "staging") -> int:
    """Run a bootstrap in a process that kills itself at a point; returns its exit code, -9 for killed.

    It is a fork, because that has imported Google's clients already; the threads of the server stay in the parent.
    """
    child = os.fork()
    if child == 0:
        try:
            _with_fault(checkout, endpoint, step, fault, name)
        except BaseException:  # noqa: BLE001 (the exit code reports it)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
