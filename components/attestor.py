"""The attestor of an environment: which signatures its Binary Authorization trusts.

Owns: the attestor in the environment's own project, and its right to read the attestations of the upstream.
Does not own: the key and the notes (components/release_signing.py), the policy (components/binary_authorization.py).

Each environment has its own attestor, because whoever sets the policy of a shared one could add keys that production
trusts (docs/adr/0033-attestations.md).

Trap: Binary Authorization reads attestations as its service agent in the attestor's project.
https://cloud.google.com/binary-authorization/docs/multi-project-setup-cli
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from components.release_signing import ALGORITHM, RELEASES_NOTE

AGENT = "binaryauthorization.googleapis.com"
"""The service whose agent verifies attestations."""

READ_ROLE = "roles/containeranalysis.notes.occurrences.viewer"


class Attestor(pulumi.ComponentResource):
    """An attestor that trusts versions of the upstream's key."""

    attestor: pulumi.Output[str]
    """projects/P/attestors/N, known once its attestations can be read."""

    def __init__(
        self,
        name: str,
        public_keys: Mapping[str, str],
        *,
        project_id: pulumi.Input[str],
        upstream_project: pulumi.Input[str],
        key: pulumi.Input[str],
        agent: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:attestor:Attestor", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        reader = gcp.containeranalysis.NoteIamMember(
            f"{name}-reader", project=upstream_project, note=RELEASES_NOTE, role=READ_ROLE, member=agent, opts=child
        )
        attestor = gcp.binaryauthorization.Attestor(
            f"{name}-attestor",
            name=RELEASES_NOTE,
            description="Images that the platform released",
            attestation_authority_note={
                "note_reference": pulumi.Output.format("projects/{0}/notes/{1}", upstream_project, RELEASES_NOTE),
                "public_keys": [
                    {
                        "id": public_key_id(key, version),
                        "pkix_public_key": {"public_key_pem": pem, "signature_algorithm": ALGORITHM},
                    }
                    for version, pem in sorted(public_keys.items(), key=lambda item: int(item[0]))
                ],
            },
            opts=child,
        )
        self.attestor = pulumi.Output.all(project_id, attestor.name, reader.etag).apply(
            lambda values: f"projects/{values[0]}/attestors/{values[1]}"
        )
        self.register_outputs({"attestor": self.attestor})


def public_key_id(key: pulumi.Input[str], version: str) -> pulumi.Output[str]:
    """The name by which a signature says with which version of a key it was made, as gcloud writes it."""
    return pulumi.Output.concat("//cloudkms.googleapis.com/v1/", key, "/cryptoKeyVersions/", version)
