"""`atwork service image`: who built a released image, from which commit, and where Binary Authorization asks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from atwork.attestations import KEY_PREFIX, SignedStatement, trusted
from atwork.checkout import Checkout, find_checkout
from atwork.environments.bootstrap.google import Google, login
from atwork.environments.bootstrap.google_errors import explain_errors
from atwork.errors import UsageError
from atwork.sandbox import signing
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home
from components.release_signing import KEY, PROVENANCE_NOTE, RELEASES_NOTE
from infra.config import read_all
from infra.stack import StackConfig

_ANALYSIS = "https://containeranalysis.googleapis.com/v1"
_DIGEST = re.compile(r"(?:[^@\s]+@)?(?P<digest>sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Signer:
    """The environment that signs releases."""

    name: str
    config: StackConfig

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of its statements."""
        return tuple(f"projects/{self.config.project.id}/notes/{note}" for note in (RELEASES_NOTE, PROVENANCE_NOTE))

    def public_keys(self, occurrences: list[dict[str, Any]]) -> dict[str, str]:
        """The public keys in its stack file, by the id of the keys in signatures; only those of its own key."""
        signing_settings = self.config.release_signing
        known = {} if signing_settings is None else signing_settings.public_keys
        own = re.compile(
            rf"{KEY_PREFIX}projects/{self.config.project.id}/locations/{self.config.region}/keyRings/[^/]+/"
            rf"cryptoKeys/{KEY}/cryptoKeyVersions/(?P<version>[0-9]+)"
        )
        named = {
            str(signature.get("publicKeyId"))
            for occurrence in occurrences
            for signature in (occurrence.get("attestation") or {}).get("signatures") or ()
        }
        matches = (own.fullmatch(name) for name in named)
        return {match[0]: known[match["version"]] for match in matches if match and match["version"] in known}


def image(reference: str, *, sandbox: bool, as_json: bool) -> int:
    """Print what trusted statements say about an image; returns 1 if there is no attestation."""
    match = _DIGEST.fullmatch(reference)
    if match is None:
        raise UsageError(f"{reference}: not an image by its digest; write sha256:… or HOST/PATH@sha256:…")
    checkout = find_checkout()
    environments = read_all(checkout.stacks)
    signer = _signer(environments)
    occurrences = [item for note in signer.notes for item in _occurrences(checkout, note, sandbox=sandbox)]
    statements = list(trusted(occurrences, match["digest"], signer.public_keys(occurrences)))
    admitted = [each for each in statements if each.admits]
    described = [each for each in statements if each.provenance]
    facts = _facts(match["digest"], admitted, described, _where(environments, signer.name))
    if as_json:
        print(json.dumps(facts))
    else:
        for key, value in facts.items():
            print(f"{key + ':':13}{value}")
    return 0 if admitted else 1


def _signer(environments: Mapping[str, StackConfig]) -> Signer:
    for name, config in environments.items():
        if config.release_signing is not None:
            if not config.release_signing.public_keys:
                raise UsageError(
                    f"stacks/Pulumi.{name}.yaml: atwork:stack.release_signing.public_keys: is empty, so that no "
                    "signature can be verified; add the public key (docs/security.md)"
                )
            return Signer(name, config)
    raise UsageError("no environment signs releases; add release_signing to the stack file of the one with jenkins")


def _occurrences(checkout: Checkout, note: str, *, sandbox: bool) -> Iterator[dict[str, Any]]:
    """The occurrences of a note, from Google or from the sandbox."""
    if sandbox:
        home = Home(checkout.root)
        if home.cloud.exists():
            yield from signing.occurrences(Cloud(home.cloud), note)
        return
    google = login()
    with explain_errors(f"read {note}", "ask for roles/containeranalysis.notes.occurrences.viewer on the note"):
        yield from _pages(google, note)


def _pages(google: Google, note: str) -> Iterator[dict[str, Any]]:
    parameters = {"pageSize": "1000"}
    while True:
        page = google.call("GET", f"{_ANALYSIS}/{note}/occurrences", params=parameters)
        yield from page.get("occurrences", [])
        if not page.get("nextPageToken"):
            return
        parameters["pageToken"] = str(page["nextPageToken"])


def _where(environments: Mapping[str, StackConfig], signer: str) -> str:
    asking = [
        f"{name} ({config.binary_authorization.attestation})"
        for name, config in environments.items()
        if config.upstream == signer and config.attested
    ]
    return ", ".join(asking) or "no environment asks for attestations"


def _facts(
    digest: str, admitted: list[SignedStatement], described: list[SignedStatement], where: str
) -> dict[str, str]:
    """What is known, by title, in the order of the output."""
    if not (admitted or described):
        return {"image": digest, "attested": "no: the promote job did not release it, or nothing was signed then"}
    facts = {"image": (admitted or described)[0].image}
    if described:
        predicate = described[-1].provenance
        definition = predicate["buildDefinition"]
        source = definition["resolvedDependencies"][0]
        facts |= {
            "service": f"{definition['externalParameters']['service']} {definition['externalParameters']['version']}",
            "built by": predicate["runDetails"]["metadata"]["invocationId"],
            "commit": f"{source['digest']['gitCommit']} of {source['uri'].removeprefix('git+')}",
        }
    facts["attested"] = (
        f"{admitted[0].created} by {admitted[0].key}" if admitted else "no: only its provenance is known"
    )
    return facts | {"required in": where}
