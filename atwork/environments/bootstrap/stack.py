"""Steps for the stack: its project and key in the stack file, and its state in the state bucket."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from atwork.engine import runner
from atwork.engine.runner import EngineFailed
from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import GoogleError, explain_errors
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.bootstrap.projects import find_project
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step
from atwork.errors import ConfigError
from atwork.yaml_edits import YamlText, edit_file
from components.forms import written
from infra import CONFIG_KEY, company
from infra.config import StackFiles
from infra.layout import PLATFORM_FILE
from infra.yaml_files import read_yaml

LINES = ("secretsprovider", "encryptedkey")


def write_number(plan: BootstrapPlan, file: Path) -> Step:
    """Write the number of a new project into the stack file of a long-lived environment."""
    project = plan.config.project.id

    def ensure(context: Context) -> str:
        with explain_errors(f"read the project {project}", f"ask for roles/viewer on {project}"):
            existing = find_project(context.google, project)
        if existing is None:
            raise GoogleError(f"the project {project} is not visible yet; continue in a minute with --resume")
        shown = f"stacks/{file.name}"
        edit_file(file, shown, lambda text: with_number(text, existing[0], shown))
        return f"stacks/{file.name} now has its number {existing[0]}"

    describe = f"gcloud projects describe {project} --format='value(projectNumber)'"
    command = f"{describe}  # instead of create in stacks/{file.name}: number"
    return Step("adopt", "the stack file's project", (command,), ensure)


def with_number(text: str, number: str, file: str) -> str:
    """Return a stack file with the project's number instead of `create`; everything else is unchanged."""
    document, project = YamlText(text, file), ("config", CONFIG_KEY, "project")
    if not document.has(project):
        raise ConfigError(f"{file}: {CONFIG_KEY}.project is missing; add it")
    if not document.has((*project, "create")):
        return text
    return document.with_value(project, "create", f'"{number}"', new_key="number")


def init(plan: BootstrapPlan, file: Path, engine: Path) -> Step:
    """Run `pulumi stack init` and write its lines into the stack file, whose blank lines stay."""
    words = ["stack", "init", plan.name, "--secrets-provider", plan.secrets_provider, "--no-select"]

    def ensure(context: Context) -> str:
        shown = f"stacks/{file.name}"
        document = read_yaml(file, shown)
        provider, outcome = _state(context.google, plan), ""
        if provider is None:
            run_engine(engine, words, file.parent.parent, plan.backend)
            provider, outcome = _state(context.google, plan) or {}, "created"
        if provider.get("url") != plan.secrets_provider:
            raise GoogleError(
                f"the stack {plan.name} is in {plan.backend} with the key {provider.get('url')}; run `pulumi stack "
                f"change-secrets-provider {plan.secrets_provider} --stack {plan.name}`"
            )
        wanted = {"secretsprovider": plan.secrets_provider, "encryptedkey": str(provider.get("encryptedkey"))}
        if not outcome and {key: document.get(key) for key in LINES} == wanted:
            return UNCHANGED
        edit_file(file, shown, lambda text: with_lines(text, wanted, shown))
        return outcome or f"{shown} has {' and '.join(LINES)} from its state again"

    command = f"PULUMI_BACKEND_URL={plan.backend} pulumi {' '.join(words)}"
    return Step("stack", f"stack {plan.name} in {plan.backend}", (command,), ensure)


def with_lines(text: str, lines: dict[str, str], file: str) -> str:
    """Return a stack file with these lines of the engine instead of the existing ones."""
    document = YamlText(text, file)
    for key in (*LINES, "encryptionsalt"):
        if document.has((key,)):
            document = YamlText(document.without_entry((), key), file)
    for key, value in lines.items():
        document = YamlText(document.with_entry_before("config", key, written(value)), file)
    return document.text


def _state(google: Google, plan: BootstrapPlan) -> dict[str, Any] | None:
    """The secrets provider in the state; None without a state."""
    with explain_errors(f"read the state of {plan.name}", f"ask for roles/storage.objectViewer on {plan.backend}"):
        blob = google.storage(plan.admin).bucket(plan.platform.bucket).get_blob(plan.state_object)
        if blob is None:
            return None
        state = json.loads(blob.download_as_bytes())
    latest = (state.get("checkpoint") or {}).get("latest") or {}
    return (latest.get("secrets_providers") or {}).get("state") or {}


def run_engine(engine: Path, words: list[str], checkout: Path, backend: str) -> None:
    """Run the engine in a checkout with a backend; `GoogleError` with its output if it fails."""
    environment = {**os.environ, "PULUMI_BACKEND_URL": backend, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        runner.run(engine, words, folder=checkout, environment=environment)
    except EngineFailed as error:
        raise GoogleError(
            f"{error}; whoever runs it needs roles/cloudkms.cryptoKeyEncrypterDecrypter on the key and "
            "roles/storage.objectUser on the bucket"
        ) from None


def secrets_provider_mistakes(stacks: Path, seen: StackFiles) -> list[str]:
    """Mistakes in the engine's lines of stack files; none in a project without a bootstrap.

    Without them the engine asks for a passphrase, which locks everybody else out of the stack's secrets. A stack file
    that is invalid has no checked key.
    """
    from atwork.environments.bootstrap import plan as plans

    files, environments = seen.documents, seen.environments
    if not any(document.get(key) for document in files.values() for key in LINES):
        return []
    platform = company.read(stacks) if os.path.lexists(stacks / PLATFORM_FILE) else None
    mistakes: list[str] = []
    for name, document in files.items():
        file = f"stacks/Pulumi.{name}.yaml"
        fix = f"run `atwork environment bootstrap {name}` and commit what it writes"
        mistakes += [f"{file}: {key} is missing; {fix}" for key in LINES if not document.get(key)]
        provider = str(document.get("secretsprovider", ""))
        if provider and platform is not None and name in environments:
            wanted = plans.of(name, environments, platform).secrets_provider
            if provider != wanted:
                mistakes.append(f"{file}: secretsprovider is {provider}, not {wanted}; {fix}")
        elif provider and not provider.startswith("gcpkms://"):
            mistakes.append(f"{file}: secretsprovider is {provider}, which is not a Cloud KMS key; {fix}")
        if "encryptionsalt" in document:
            mistakes.append(f"{file}: encryptionsalt belongs to a passphrase; {fix}, or remove the line")
    return mistakes
