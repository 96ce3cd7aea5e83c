"""Names of official images, and which of them a build gets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from rich.console import Console

from atwork.containers.errors import ContainerError
from atwork.containers.official_images import OfficialImage, OfficialImages, base_images
from atwork.pipeline import opening
from atwork.sandbox import images
from atwork.sandbox.home import Home


@pytest.mark.parametrize(
    "text", ["python", "library/python:3", "PYTHON:3", "python:", ":3", "python:3 x", "../up:1", ""]
)
def test_a_name_that_is_no_official_image_is_one_clear_error(text: str) -> None:
    with pytest.raises(ContainerError, match="is no official image with a tag; write NAME:TAG"):
        OfficialImage.read(text)


def test_a_digest_after_the_tag_is_left_out() -> None:
    assert OfficialImage.read(f"postgres:18.4-alpine@sha256:{'0' * 64}") == OfficialImage("postgres", "18.4-alpine")


def test_the_base_images_of_a_dockerfile_are_those_of_the_mirror_each_once() -> None:
    dockerfile = """
FROM ${DOCKER_HUB}/library/golang:1.26 AS build
FROM build AS tests
FROM $DOCKER_HUB/library/golang:1.26
FROM docker.io/library/redis:8
FROM ${DOCKER_HUB}/library/debian:trixie-slim
"""
    assert base_images(dockerfile) == [OfficialImage("golang", "1.26"), OfficialImage("debian", "trixie-slim")]


@pytest.fixture
def without_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    def refuse(*_: object) -> Path:
        raise ContainerError("cannot be fetched from hub.example.com: no such host")

    monkeypatch.setattr(OfficialImages, "fetch", refuse)
    monkeypatch.setattr(images, "stand_in", lambda name, _: _layout(tmp_path / "stand-ins" / name))
    monkeypatch.setattr(images, "here", lambda: Home(tmp_path))
    monkeypatch.setattr(images.programs, "registry", lambda _: (Path("crane"), Path("registry")))
    return Home(tmp_path)


def _layout(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "index.json").write_text('{"manifests": [{"digest": "sha256:%s"}]}' % ("1" * 64))
    return folder


def test_what_cannot_be_fetched_has_a_stand_in_or_is_named(
    without_hub: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(soft_wrap=True, width=200)
    assert images.run([], "hub.example.com", console=console) == 0
    printed = capsys.readouterr().out
    assert ", mysql:8.4.7: cannot be fetched from hub.example.com: no such host\n" in printed
    assert "Debian packages  sha256:111111111111" in printed
    assert "mysql:8.4.7: builds that need it fail here" in printed
    _layout(images.official_images(without_hub).folder / "node-22")
    assert images.run(["node:22"], "hub.example.com", console=console) == 0
    assert "fetched before" in capsys.readouterr().out
    assert images.run(["golang:1.26"], "hub.example.com", console=console) == 1
    assert "MB" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reference", "source"),
    [
        ("m/library/postgres:18-alpine", "fetched"),
        ("m/library/postgres:18-alpine@sha256:1", "fetched"),
        ("m/library/postgres:17", "stand-in"),
        ("m/library/postgres", "stand-in"),
        ("m/bitnami/postgresql:18.1", "stand-in"),
    ],
)
def test_a_store_whose_image_a_stack_file_chose_has_the_same_stand_in(
    reference: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "stand_in", lambda name, _: tmp_path / f"stand-in-{name}")
    fetched = _layout(tmp_path / "postgres-18-alpine")
    pod = yaml.safe_dump({"spec": {"initContainers": [{"image": reference}]}})
    values = {"additionalAgents": {"store-postgres": {"yamlTemplate": pod}, "build": {"yamlTemplate": ""}}}
    layouts = opening.mirrored(OfficialImages(tmp_path), values, "m", "", Console())
    expected = fetched if source == "fetched" else tmp_path / "stand-in-postgres"
    assert layouts == {reference.partition("@")[0]: expected}


def test_a_store_without_an_image_is_left_to_the_build_that_asks_for_it(tmp_path: Path) -> None:
    pod = yaml.safe_dump({"spec": {"initContainers": [{"image": "m/library/mysql:8.4"}]}})
    values = {"additionalAgents": {"store-mysql": {"yamlTemplate": pod}}}
    assert opening.mirrored(OfficialImages(tmp_path), values, "m", "", Console()) == {}
    layout = _layout(tmp_path / "mysql-8.4")
    assert opening.mirrored(OfficialImages(tmp_path), values, "m", "", Console()) == {"m/library/mysql:8.4": layout}
