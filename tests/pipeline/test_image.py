"""`atwork service image`: what it reads from Google, and what it says when there is nothing to read."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support.checkout import copy
from support.http_server import QuietHandler, serving
from support.signing import public_key
from typer.testing import CliRunner

from atwork.cli import app
from atwork.errors import UserError

PRIVATE = ec.generate_private_key(ec.SECP256R1())
DIGEST = f"sha256:{'a' * 64}"
KEY = "projects/acme-at-work-ci/locations/europe-west1/keyRings/r/cryptoKeys/releases/cryptoKeyVersions/1"


def occurrence(content: dict[str, Any], key: str = KEY) -> dict[str, Any]:
    """A signed statement as Container Analysis returns it."""
    payload = json.dumps(content).encode()
    signature = base64.b64encode(PRIVATE.sign(payload, ec.ECDSA(hashes.SHA256()))).decode()
    return {
        "resourceUri": f"https://europe-docker.pkg.dev/acme-at-work-ci/services/stock@{DIGEST}",
        "createTime": "2026-11-27T13:00:00Z",
        "attestation": {
            "serializedPayload": base64.b64encode(payload).decode(),
            "signatures": [{"publicKeyId": f"//cloudkms.googleapis.com/v1/{key}", "signature": signature}],
        },
    }


def attestation(digest: str = DIGEST) -> dict[str, Any]:
    kind = "Google cloud binauthz container signature"
    return {"critical": {"identity": {}, "image": {"docker-manifest-digest": digest}, "type": kind}}


@contextmanager
def google(pages: list[list[dict[str, Any]]]) -> Generator[str]:
    """Container Analysis with these pages for the note of releases, and none for others."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:  # noqa: N802 (the server's name for it)
            address = urlsplit(self.path)
            number = int(parse_qs(address.query).get("pageToken", ["0"])[0])
            own = pages if "/platform-releases/" in address.path else [[]]
            body: dict[str, Any] = {"occurrences": own[number]}
            if number + 1 < len(own):
                body["nextPageToken"] = str(number + 1)
            self.answer(200, json.dumps(body).encode())

    with serving(Handler) as address:
        yield address


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = copy(tmp_path / "checkout")
    monkeypatch.chdir(folder)
    return folder / "stacks" / "Pulumi.ci.yaml"


def signs(stack: Path, keys: str = "") -> None:
    stack.write_text(f"{stack.read_text().rstrip()}\n    release_signing: {keys or '{}'}\n")


def trusted() -> str:
    block = "".join(f"          {line}\n" for line in public_key(PRIVATE).splitlines())
    return f'\n      public_keys:\n        "1": |\n{block}'


def show(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["service", "image", *words])
    if isinstance(done.exception, UserError):
        return 1, str(done.exception)
    return done.exit_code, done.output


@pytest.mark.parametrize("reference", ["latest", "stock:1.0.0", "sha256:abc", f"{DIGEST}0", ""])
@pytest.mark.usefixtures("checkout")
def test_an_image_is_named_by_its_digest(reference: str) -> None:
    assert "not an image by its digest; write sha256:… or HOST/PATH@sha256:…" in show(reference)[1]


def test_nothing_is_said_without_a_key_to_verify_with(checkout: Path) -> None:
    assert "no environment signs releases; add release_signing" in show(DIGEST)[1]
    signs(checkout)
    assert "stacks/Pulumi.ci.yaml: atwork:stack.release_signing.public_keys: is empty" in show(DIGEST)[1]


def test_all_pages_are_read(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signs(checkout, trusted())
    other = occurrence(attestation(f"sha256:{'b' * 64}"))
    with google([[other], [occurrence(attestation())]]) as address:
        monkeypatch.setenv("ATWORK_GOOGLE_ENDPOINT", address)
        code, output = show(f"europe-docker.pkg.dev/acme-at-work-ci/services/stock@{DIGEST}")
    assert code == 0
    assert f"attested:    2026-11-27T13:00:00Z by {KEY}" in output
    assert "required in: no environment asks for attestations" in output


@pytest.mark.parametrize(
    "answer",
    [
        occurrence(attestation(), KEY.replace("acme-at-work-ci", "another")),
        occurrence(attestation(), KEY.replace("Versions/1", "Versions/2")),
        occurrence({"critical": None}),
        occurrence(attestation()) | {"attestation": {"serializedPayload": "a", "signatures": [{"signature": "a"}]}},
        {"vulnerability": {}},
    ],
    ids=["a key of another project", "a version that is not trusted", "no content", "no base64", "another kind"],
)
def test_what_is_not_signed_by_a_trusted_key_is_not_believed(
    answer: dict[str, Any], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs(checkout, trusted())
    with google([[answer]]) as address:
        monkeypatch.setenv("ATWORK_GOOGLE_ENDPOINT", address)
        code, output = show(DIGEST)
    assert (code, "attested:    no: the promote job did not release it" in output) == (1, True)


def test_a_sandbox_that_is_empty_has_no_attestation(checkout: Path) -> None:
    signs(checkout, trusted())
    assert show(DIGEST, "--sandbox")[0] == 1
