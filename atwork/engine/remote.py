"""The backend that PULUMI_BACKEND_URL names, with the official providers."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from atwork.checkout import Checkout
from atwork.engine import runner
from atwork.engine.backend import Backend
from atwork.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class RemoteBackend(Backend):
    """A backend that is shared with other machines."""

    checkout: Checkout

    @contextmanager
    def environment(self) -> Generator[dict[str, str]]:
        """The variables of this process."""
        yield {**os.environ, "PULUMI_BACKEND_URL": self.url, "PULUMI_SKIP_UPDATE_CHECK": "true"}

    def deployment(self, stack: str) -> Mapping[str, Any] | None:
        """The state as `pulumi stack export` has it."""
        if stack not in self._names:
            return None
        with self.environment() as environment:
            words = ["stack", "export", "--stack", stack]
            exported = runner.run(self.program, words, folder=self.project, environment=environment)
        return json.loads(exported.stdout)["deployment"]

    def upstream(self, stack: str) -> str | None:
        """As the stack's file says."""
        return self.checkout.upstream(stack)

    @cached_property
    def _names(self) -> frozenset[str]:
        """The stacks when they were first asked for; commands that create or remove stacks do not ask afterwards."""
        return frozenset(self.stacks())


class ObjectStore(RemoteBackend):
    """A bucket (`gs://`, `s3://`, `azblob://`) or a folder (`file://`) with the files of the state.

    https://www.pulumi.com/docs/iac/concepts/state-and-backends/#using-a-self-managed-backend
    """


class PulumiCloud(RemoteBackend):
    """Pulumi Cloud, or an installation of it. It keeps locks by itself, and has no files that could be read."""


_KINDS: Mapping[str, type[RemoteBackend]] = {
    **dict.fromkeys(("file", "gs", "s3", "azblob"), ObjectStore),
    **dict.fromkeys(("https", "http"), PulumiCloud),
}


def remote_backend(url: str, program: Path, checkout: Checkout) -> RemoteBackend:
    """The backend of an address; `UsageError` for a kind that Pulumi does not have."""
    kind = _KINDS.get(urlsplit(url).scheme)
    if kind is None:
        schemes = ", ".join(f"{scheme}://" for scheme in _KINDS)
        raise UsageError(f"PULUMI_BACKEND_URL: {url}: no address of a Pulumi backend; use one of {schemes}")
    return kind(url=url, program=program, project=checkout.root, checkout=checkout)
