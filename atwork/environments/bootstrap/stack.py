"""The stack itself: its file says which project and key it has, and the state bucket knows it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import yaml

from atwork.engine import runner
from atwork.engine.runner import EngineFailed
from atwork.environments.bootstrap.google import Google, GoogleError, explain_errors
from atwork.environments.bootstrap.plan import Plan
from atwork.environments.bootstrap.projects import found
from atwork.environments.bootstrap.step import IS_RIGHT, Context, Step
from atwork.errors import ConfigError
from atwork.files import replace_file
from infra import CONFIG_KEY
from infra.layout import stack_files
from infra.yaml_files import read_yaml

LINES = ("secretsprovider", "encryptedkey")


def adopted(plan: Plan, file: Path) -> Step:
    """A long-lived environment's file names its project by number, once it is made."""
    project = plan.config.project.id

    def ensure(context: Context) -> str:
        with explain_errors(f"look at the project {project}", f"ask for roles/viewer on {project}"):
            seen = found(context.google, project)
        if seen is None:
            raise GoogleError(f"the project {project} is not to be seen yet; go on in a minute with --resume")
        replace_file(file, with_number(file.read_text(), seen[0], f"stacks/{file.name}"))
        return f"stacks/{file.name} names it by number {seen[0]} now"

    describe = f"gcloud projects describe {project} --format='value(projectNumber)'"
    command = f"{describe}  # in place of create in stacks/{file.name}: number"
    return Step("adopt", "the stack file's project", (command,), ensure)


def with_number(text: str, number: str, file: str) -> str:
    """A stack file whose project is adopted in place of created; all else stays as it is."""
    node: Any = yaml.compose(text)
    for name in ("config", CONFIG_KEY, "project"):
        node = next((value for key, value in node.value if key.value == name), None)
        if node is None:
            raise ConfigError(f"{file}: {CONFIG_KEY}.project is missing; add it")
    for key, value in node.value:
        if key.value == "create":
            old = text[key.start_mark.index : value.end_mark.index]
            kept = old[len(old.rstrip()) :]
            start, end = text[: key.start_mark.index], text[value.end_mark.index :]
            return f'{start}number: "{number}"{kept}{end}'
    return text


def init(plan: Plan, file: Path, engine: Path) -> Step:
    """`pulumi stack init`, and its lines in the stack file; blank lines, which the engine drops, stay."""
    words = ["stack", "init", plan.name, "--secrets-provider", plan.secrets_provider, "--no-select"]

    def ensure(context: Context) -> str:
        said, text = read_yaml(file, f"stacks/{file.name}"), file.read_text()
        provider, outcome = _state(context.google, plan), ""
        if provider is None:
            run_engine(engine, words, file.parent.parent, plan.backend)
            provider, outcome = _state(context.google, plan) or {}, "made"
        if provider.get("url") != plan.secrets_provider:
            raise GoogleError(
                f"the stack {plan.name} is in {plan.backend} with the key {provider.get('url')}; run `pulumi stack "
                f"change-secrets-provider {plan.secrets_provider} --stack {plan.name}`"
            )
        wanted = {"secretsprovider": plan.secrets_provider, "encryptedkey": str(provider.get("encryptedkey"))}
        if not outcome and {key: said.get(key) for key in LINES} == wanted:
            return IS_RIGHT
        replace_file(file, with_lines(text, wanted))
        return outcome or f"stacks/{file.name} has the lines {' and '.join(LINES)} of its state again"

    command = f"PULUMI_BACKEND_URL={plan.backend} pulumi {' '.join(words)}"
    return Step("stack", f"stack {plan.name} in {plan.backend}", (command,), ensure)


def with_lines(text: str, lines: dict[str, str]) -> str:
    """A stack file with the engine's own lines, in place of those that are there."""
    for key in (*LINES, "encryptionsalt"):
        text = re.sub(rf"^{key}:[^\n]*\n(?:[ \t]+[^\n]*\n)*", "", text, flags=re.MULTILINE)
    made = "".join(f"{key}: {value}\n" for key, value in lines.items())
    return re.sub(r"^config:", f"{made}config:", text, count=1, flags=re.MULTILINE)


def _state(google: Google, plan: Plan) -> dict[str, Any] | None:
    """What the state says of its key; nothing where there is no state."""
    with explain_errors(f"read the state of {plan.name}", f"ask for roles/storage.objectViewer on {plan.backend}"):
        blob = google.storage(plan.admin).bucket(plan.platform.bucket).get_blob(plan.state_object)
        if blob is None:
            return None
        state = json.loads(blob.download_as_bytes())
    latest = (state.get("checkpoint") or {}).get("latest") or {}
    return (latest.get("secrets_providers") or {}).get("state") or {}


def run_engine(engine: Path, words: list[str], checkout: Path, backend: str) -> None:
    """Run the engine in a checkout against a backend; `GoogleError` with what it said where it fails."""
    environment = {**os.environ, "PULUMI_BACKEND_URL": backend, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        runner.run(engine, words, folder=checkout, environment=environment)
    except EngineFailed as error:
        raise GoogleError(
            f"{error}; whoever runs it needs roles/cloudkms.cryptoKeyEncrypterDecrypter on the key and "
            "roles/storage.objectUser on the bucket"
        ) from None


def secrets_provider_mistakes(stacks: Path) -> list[str]:
    """What is wrong with the engine's own lines in stack files; nothing in a project that was never bootstrapped.

    A stack without them would ask for a passphrase, and whoever answered would lock everybody else out of its secrets.
    """
    from atwork.environments.bootstrap import plan as plans

    files = {name: read_yaml(path, f"stacks/{path.name}") for name, path in stack_files(stacks).items()}
    if not any(said.get(key) for said in files.values() for key in LINES):
        return []
    mistakes: list[str] = []
    for name, said in files.items():
        file = f"stacks/Pulumi.{name}.yaml"
        mend = f"run `atwork environment bootstrap {name}` and commit what it writes"
        mistakes += [f"{file}: {key} is missing; {mend}" for key in LINES if not said.get(key)]
        provider = str(said.get("secretsprovider", ""))
        if provider and (stacks / "platform.yaml").exists():
            wanted = plans.of(name, stacks).secrets_provider
            if provider != wanted:
                mistakes.append(f"{file}: secretsprovider is {provider} and not {wanted}; {mend}")
        elif provider and not provider.startswith("gcpkms://"):
            mistakes.append(f"{file}: secretsprovider is {provider}, which is no key of ours; {mend}")
        if "encryptionsalt" in said:
            mistakes.append(f"{file}: encryptionsalt is of a passphrase; {mend}, or remove the line")
    return mistakes
