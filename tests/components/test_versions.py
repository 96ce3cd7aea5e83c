"""The pinned images: none below the version that fixes a known hole, the same ones everywhere, and all admitted."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from support.checkout import ROOT
from support.jenkins import ADDRESSES
from support.mocks import Recording

from atwork.sandbox.verify.binary_authorization import matches
from atwork.toolchain.programs import BUILDKIT, HELM, REGISTRY
from components.jenkins.registry import Images
from components.jenkins.value_types import ImageRole
from components.versions import FLOORS, IMAGES, Floor

COMPOSE = ROOT / "delivery" / "template" / "repository" / "compose.yaml.jinja"


def version(text: str) -> tuple[int, ...]:
    """The numbers at the start of a version, such as (0, 31, 2) of v0.31.2-rootless."""
    match = re.match(r"v?(\d+(?:\.\d+)+)", text)
    assert match is not None, text
    return tuple(int(part) for part in match[1].split("."))


def below(images: Mapping[str, str], floors: Mapping[str, Floor]) -> list[str]:
    """The images that are older than their floor, with the reason."""
    tags = {role: image.partition("@")[0].rpartition(":")[2] for role, image in images.items()}
    return [
        f"{role} {tags[role]} is older than {floor.version} ({floor.reason})"
        for role, floor in floors.items()
        if version(tags[role]) < version(floor.version)
    ]


def test_no_image_is_below_its_floor() -> None:
    assert below(IMAGES, FLOORS) == []
    assert {"buildkit", "redis", "helm"} <= FLOORS.keys() <= IMAGES.keys()


@pytest.mark.parametrize(
    ("role", "image", "reason"),
    [
        ("buildkit", "moby/buildkit:v0.27.0-rootless", "CVE-2026-33747"),
        ("buildkit", "moby/buildkit:v0.31.0-rootless", "GHSA-7236-3392-c5c6"),
        ("redis", "redis:8.2.1-alpine", "CVE-2026-23479"),
        ("helm", "alpine/helm:3.9.0@sha256:" + "0" * 64, "CVE-2026-35206"),
    ],
)
def test_an_older_image_is_refused_with_the_reason(role: ImageRole, image: str, reason: str) -> None:
    (refused,) = below({**IMAGES, role: image}, FLOORS)
    assert refused.startswith(role)
    assert reason in refused


def test_developers_and_builds_use_the_same_stores() -> None:
    named = set(re.findall(r"image: (\S+)", COMPOSE.read_text()))
    assert named == {IMAGES["postgres"], IMAGES["redis"], IMAGES["mysql"]} & named
    assert {"postgres", "redis"} <= {name.partition(":")[0] for name in named}


def test_the_tools_of_the_tests_are_those_of_the_images() -> None:
    assert version(HELM.version()) == version(IMAGES["helm"].rpartition(":")[2])
    assert version(REGISTRY.version()) == version(IMAGES["crane"].rpartition(":")[2])
    assert version(BUILDKIT.version()) == version(IMAGES["buildkit"].rpartition(":")[2])


@pytest.mark.parametrize("role", IMAGES)
def test_binary_authorization_of_ci_matches_every_image(role: ImageRole, recordings: dict[str, Recording]) -> None:
    """It is a dry run there, but its log would be full of images of the platform itself."""
    (policy,) = recordings["ci"].of_type("gcp:binaryauthorization/policy:Policy").values()
    patterns = [entry["namePattern"] for entry in policy.inputs["admissionWhitelistPatterns"]]
    mirror = ADDRESSES.docker_hub.replace("acme-ci", "acme-at-work-ci")
    image = Images(mirror, {})[role]
    assert any(matches(image, pattern) for pattern in patterns), image


@pytest.mark.parametrize(
    ("pattern", "image", "matched"),
    [
        ("gcr.io/a/**", "gcr.io/a/b/c:1", True),
        ("gcr.io/a/*", "gcr.io/a/b/c:1", False),
        ("gcr.io/a/*", "gcr.io/a/b:1", True),
        ("gcr.io/a/b:1", "gcr.io/a/b:1", True),
        ("gcr.io/a/b:1", "gcr.io/a/b:2", False),
        ("gcr.io/a/b", "gcr.io/a/b:1", False),
        ("gcr.io/a/b:*", "gcr.io/a/b:1", True),
        ("gcr.io/a/b:*", "gcr.io/a/bc:1", False),
        ("gcr.io/a/b@*", "gcr.io/a/b@sha256:" + "0" * 64, True),
        ("gcr.io/a/b@*", "gcr.io/a/b:1", False),
    ],
)
def test_patterns(pattern: str, image: str, *, matched: bool) -> None:
    assert matches(image, pattern) is matched
