"""Whether Binary Authorization admits the images of pods: by a pattern of the policy, or by an attestation.

https://cloud.google.com/binary-authorization/docs/policy-yaml-reference
"""

from __future__ import annotations

from collections.abc import Iterator

from atwork.access.model import AccessModel
from atwork.attestations import KEY_PREFIX, trusted
from atwork.sandbox.verify.environments import EnvironmentObjects, Object
from atwork.sandbox.verify.model import Pod, PodFinding
from components.access import RELEASED
from components.attestor import AGENT
from components.type_tokens import ATTESTOR, BINARY_AUTHORIZATION_POLICY, OCCURRENCE, SERVICE_IDENTITY

EXAMPLE_DIGEST = f"sha256:{'0' * 64}"
"""Stands for the digest of any released image, which the promote job attests if it may."""

_READ = "containeranalysis.notes.listOccurrences"
_SIGN = "cloudkms.cryptoKeyVersions.useToSign"


def check(pod: Pod, image: str, here: EnvironmentObjects, access: AccessModel) -> Iterator[PodFinding]:
    """A finding for an image that the policy denies."""
    policy = here.only(BINARY_AUTHORIZATION_POLICY)
    evaluated = (here.cluster.get("binaryAuthorization") or {}).get("evaluationMode")
    if not policy or evaluated in (None, "DISABLED"):
        return
    rule = policy["defaultAdmissionRule"]
    if rule["evaluationMode"] == "ALWAYS_ALLOW" or rule["enforcementMode"].startswith("DRYRUN"):
        return
    patterns = [entry["namePattern"] for entry in policy.get("admissionWhitelistPatterns") or ()]
    if any(matches(image, pattern) for pattern in patterns):
        return
    fix = "add a pattern to binary_authorization.also_allowed, or use an image of the registry"
    why = ""
    if rule["evaluationMode"] == "REQUIRE_ATTESTATION":
        fix = "release the image, so that the job promote attests it, or name it in binary_authorization.also_allowed"
        why = next(filter(None, (_denied(name, image, here, access) for name in rule["requireAttestationsBies"])), "")
        if not why:
            return
    yield pod.finding(
        "image",
        f"image {image}: Binary Authorization of {here.name} does not admit it{why and f' ({why})'}",
        "the pod is refused at admission",
        fix,
        "FailedCreate",
    )


def _denied(attestor_name: str, image: str, here: EnvironmentObjects, access: AccessModel) -> str:
    """Why an attestor does not attest an image; "" if it does."""
    attestor = next((item for item in here.all(ATTESTOR) if item["id"] == attestor_name), None)
    if attestor is None:
        return f"there is no {attestor_name}"
    authority = attestor["attestationAuthorityNote"]
    note = str(authority["noteReference"])
    if not any(access.may(agent, _READ, note) for agent in _agents(here)):
        return f"its agent may not read {note}"
    path, _, digest = image.partition("@")
    if not digest:
        return "only an image by its digest is attested"
    keys = {str(key["id"]): str(key["pkixPublicKey"]["publicKeyPem"]) for key in authority.get("publicKeys") or ()}
    if digest == EXAMPLE_DIGEST:
        return _never_signed(path, keys, access)
    occurrences = [item for item in here.all(OCCURRENCE) if item["noteName"] == note]
    attested = any(statement.admits for statement in trusted(occurrences, digest, keys))
    return "" if attested else f"{note} has no attestation of {digest} with a key that it trusts"


def _never_signed(path: str, keys: dict[str, str], access: AccessModel) -> str:
    """Why the promote job attests no image of a repository; "" if it does."""
    if path.split("/")[2:3] != [RELEASED]:
        return f"nobody attests images outside of the repository {RELEASED}"
    versions = [key.removeprefix(KEY_PREFIX).partition("/cryptoKeyVersions/")[0] for key in keys]
    if not any(access.who(_SIGN, version) for version in versions):
        return "nobody may sign with a key that it trusts"
    return ""


def _agents(here: EnvironmentObjects) -> list[str]:
    """The service agent that verifies attestations."""
    return [str(agent["member"]) for agent in here.all(SERVICE_IDENTITY) if _is_verifier(agent)]


def _is_verifier(agent: Object) -> bool:
    return agent["service"] == AGENT


def matches(image: str, pattern: str) -> bool:
    """Whether an image matches a pattern: `*` ends at a slash, `**` does not; both occur only at the end.

    A pattern without them matches its own tag and digest only.
    """
    name = image.partition("@")[0]
    if pattern.endswith((":*", "@*")):
        return image.startswith(pattern.removesuffix("*"))
    if pattern.endswith("/**"):
        return name.startswith(pattern.removesuffix("**"))
    if pattern.endswith("/*"):
        start = pattern.removesuffix("*")
        return name.startswith(start) and "/" not in name.removeprefix(start)
    return pattern == image
