"""Sign a released image, and attach two statements about it to notes of Container Analysis.

    attest.py RELEASE.json

The first statement is the attestation that Binary Authorization looks for, in the form of
`gcloud container binauthz attestations sign-and-create`. The second says which build of which commit made the image, as
an in-toto statement with SLSA provenance. Both are signed by the same key. The token is gcloud's.

Prints `attested IMAGE`, or why it failed, in one line.

https://cloud.google.com/binary-authorization/docs/making-attestations
https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.cryptoKeyVersions/asymmetricSign
https://slsa.dev/spec/v1.0/provenance
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

KMS = "https://cloudkms.googleapis.com/v1"
ANALYSIS = "https://containeranalysis.googleapis.com/v1"
PAUSES = (1, 3, 9)
"""Seconds between repeats of a call that a server could not answer."""


def attestation(image: str) -> bytes:
    """The payload that gcloud signs; Binary Authorization compares the digest."""
    path, _, digest = image.partition("@")
    critical = {
        "identity": {"docker-reference": path},
        "image": {"docker-manifest-digest": digest},
        "type": "Google cloud binauthz container signature",
    }
    return f"{json.dumps({'critical': critical}, indent=2, sort_keys=True)}\n".encode()


def provenance(release: dict[str, str]) -> bytes:
    """Who built an image, from which commit."""
    path, _, digest = release["image"].partition("@sha256:")
    source = {"uri": f"git+{release['repository']}", "digest": {"gitCommit": release["commit"]}}
    parameters = {"service": release["service"], "version": release["version"], "job": release["job"]}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path, "digest": {"sha256": digest}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://www.jenkins.io/doc/book/pipeline",
                "externalParameters": parameters,
                "resolvedDependencies": [source],
            },
            "runDetails": {
                "builder": {"id": release["builder"]},
                "metadata": {"invocationId": f"{release['job']}#{release['number']}"},
            },
        },
    }
    return json.dumps(statement, sort_keys=True).encode()


def call(url: str, body: dict[str, object], token: str) -> dict[str, object]:
    """The answer of an API to a POST; calls that a server cannot answer are repeated."""
    request = urllib.request.Request(url, json.dumps(body).encode())  # noqa: S310 (https addresses of Google)
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    for pause in (*PAUSES, None):
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            if pause is None or (error.code < 500 and error.code != 429):
                raise SystemExit(f"{url}: {error.code} {message(error)}") from None
        except OSError as error:
            if pause is None:
                raise SystemExit(f"{url}: {error}") from None
        time.sleep(pause)
    raise AssertionError("the last attempt ends the program")


def message(error: urllib.error.HTTPError) -> str:
    """What an API says about an error, in one line."""
    try:
        text = str(json.load(error)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        text = str(error.reason)
    return " ".join(text.split())


def attest(payload: bytes, note: str, release: dict[str, str], token: str) -> None:
    """Sign a payload, and attach it with its signature to a note."""
    digest = {"sha256": base64.b64encode(hashlib.sha256(payload).digest()).decode()}
    signed = call(f"{KMS}/{release['key']}:asymmetricSign", {"digest": digest}, token)
    if not signed.get("signature") or signed.get("name", release["key"]) != release["key"]:
        raise SystemExit(f"{release['key']} made no signature")
    occurrence = {
        "resourceUri": f"https://{release['image']}",
        "noteName": note,
        "attestation": {
            "serializedPayload": base64.b64encode(payload).decode(),
            "signatures": [
                {"publicKeyId": f"//cloudkms.googleapis.com/v1/{release['key']}", "signature": signed["signature"]}
            ],
        },
    }
    project = "/".join(note.split("/")[:2])
    if not call(f"{ANALYSIS}/{project}/occurrences", occurrence, token).get("name"):
        raise SystemExit(f"{note} has no new attestation")


def main(file: str) -> None:
    """Attach both statements; the attestation is the last, so that an image that may run has a provenance."""
    release = json.loads(Path(file).read_text())
    words = ["gcloud", "auth", "print-access-token"]
    login = subprocess.run(words, capture_output=True, text=True, check=False)
    if login.returncode:
        raise SystemExit(f"gcloud has no token: {' '.join(login.stderr.split())}")
    token = login.stdout.strip()
    attest(provenance(release), release["provenance"], release, token)
    attest(attestation(release["image"]), release["releases"], release, token)
    print(f"attested {release['image']}")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except SystemExit as failure:
        print(failure.code)
        sys.exit(1)
