"""The language host, driven as the engine drives it."""

from __future__ import annotations

import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from atwork.engine.language_host import serve
from infra.stack import StackConfig

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def host() -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    served = serve()
    with grpc.insecure_channel(f"127.0.0.1:{served.port}") as channel:
        yield language_pb2_grpc.LanguageRuntimeStub(channel)
    served.stop()


def info(root: Path, virtualenv: str | None = None) -> language_pb2.ProgramInfo:
    options = Struct()
    if virtualenv is not None:
        options.update({"virtualenv": virtualenv})
    return language_pb2.ProgramInfo(
        root_directory=str(root), program_directory=str(root), entry_point=".", options=options
    )


def test_the_providers_are_those_of_the_installed_sdks(host: Any, tmp_path: Path) -> None:
    packages = host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=info(tmp_path))).packages
    assert {package.name: package.version for package in packages} == {"gcp": "v10.2.0", "kubernetes": "v4.34.2"}


def test_another_environment_answers_for_itself_without_atwork_in_it(host: Any, tmp_path: Path) -> None:
    venv.create(tmp_path / "other", with_pip=False)
    asked = info(tmp_path, "other")
    assert list(host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=asked)).packages) == []
    assert list(host.GetProgramDependencies(language_pb2.GetProgramDependenciesRequest(info=asked)).dependencies) == []
    ours = host.GetProgramDependencies(language_pb2.GetProgramDependenciesRequest(info=info(tmp_path))).dependencies
    assert "pulumi" in {package.name for package in ours}


def test_a_missing_environment_is_named_with_the_fix(host: Any, tmp_path: Path) -> None:
    asked = info(tmp_path, "gone")
    message = "there is no .*gone/bin/python; make it with `make setup`, or correct runtime.options.virtualenv"
    with pytest.raises(grpc.RpcError, match=message):
        host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=asked))
    with pytest.raises(grpc.RpcError, match=message):
        list(host.RunPlugin(language_pb2.RunPluginRequest(pwd=str(tmp_path), info=asked)))
    answer = host.Run(language_pb2.RunRequest(pwd=str(tmp_path), info=asked))
    assert "there is no" in answer.error


def test_a_plugins_two_streams_arrive_as_they_are_printed(host: Any, tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    (tmp_path / "__main__.py").write_text(
        "import pathlib, sys, time\n"
        "print('first', file=sys.stderr)\n"
        f"while not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.01)\n"
        "print('second')\n"
        "sys.exit(3)\n"
    )
    answers = host.RunPlugin(language_pb2.RunPluginRequest(pwd=str(tmp_path), info=info(tmp_path)))
    assert next(answers).stderr == b"first\n"  # before the plugin has ended, or this would wait for ever
    go_on.touch()
    assert next(answers).stdout == b"second\n"
    assert next(answers).exitcode == 3


def test_no_program_reads_the_docstrings_of_settings(host: Any, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from infra.stack import StackConfig\n"
        "print([name for name, field in StackConfig.model_fields.items() if field.description])\n"
    )
    answers = host.RunPlugin(language_pb2.RunPluginRequest(pwd=str(tmp_path), info=info(tmp_path)))
    assert [answer.stdout or answer.exitcode for answer in answers] == [b"[]\n", 0]
    assert StackConfig.model_fields["region"].description


def test_the_end_of_a_program_that_could_not_begin_is_handed_to_the_engine(host: Any, tmp_path: Path) -> None:
    venv.create(tmp_path / "other", with_pip=False)
    answer = host.Run(language_pb2.RunRequest(pwd=str(tmp_path), info=info(tmp_path, "other")))
    assert "the program ended with code 1" in answer.error
    assert "No module named 'pulumi'" in answer.error


def test_it_is_the_interpreter_of_this_environment(host: Any, tmp_path: Path) -> None:
    answer = host.About(language_pb2.AboutRequest(info=info(tmp_path)))
    assert answer.executable == sys.executable
