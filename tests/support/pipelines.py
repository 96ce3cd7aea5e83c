"""The repository of a service whose pipeline is played, and the sandbox that it is for.

Releases are signed, and staging trusts the public key of ci.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.checkout import copy
from support.shell import run

from atwork.sandbox import signing
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import Home
from components.release_signing import KEY
from components.type_tokens import CRYPTO_KEY


@dataclass(frozen=True)
class Stock:
    """The sandbox, and the repository of the service."""

    home: Home
    repository: Path

    @property
    def cloud(self) -> Cloud:
        """The simulated cloud."""
        return Cloud(self.home.cloud)

    @property
    def signing_key(self) -> str:
        """The version of the key that signs releases."""
        [key] = [item.id for item in self.cloud.objects("", CRYPTO_KEY) if item.id.endswith(f"/{KEY}")]
        return f"{key}/cryptoKeyVersions/1"

    def public_key(self) -> str:
        """The public key of the key that signs, in PEM, as Cloud KMS returns it."""
        return signing.public_key(self.cloud, self.signing_key)

    def require(self, attestation: str) -> None:
        """Update ci and staging, which then logs or enforces attestations."""
        staging = self.home.project.stacks / "Pulumi.staging.yaml"
        line = f"    binary_authorization: {{attestation: {attestation}}}\n"
        if line in staging.read_text():
            return
        text = re.sub(r"    binary_authorization: .*\n", "", staging.read_text()).rstrip()
        staging.write_text(f"{text}\n{line}")
        run(self.home, "sandbox", "up", "ci", "staging", "--clusters", "real")

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the repository, and commit it."""
        file = self.repository / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        self.commit()

    def commit(self, *first: str) -> None:
        """Commit all files, after a command."""
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        for words in (first, ("add", "--all"), (*identity, "commit", "--quiet", "--allow-empty", "--message=Change")):
            if words:
                subprocess.run(["git", *words], cwd=self.repository, check=True)


@contextmanager
def sandbox(folder: Path, service: str, new: tuple[str, ...], up: tuple[str, ...]) -> Generator[Stock]:
    """A sandbox with ci on a real cluster, and the repository of a new service; with options of both commands."""
    home = Home(copy(folder / "checkout", "infra", "policies", "delivery"))
    repository = folder / service
    words = ["--repo", f"https://github.com/acme/{service}", "--owner", f"team-{service}", "--into", str(repository)]
    try:
        run(home, "service", "new", service, *words, *new)
        ci = home.project.stacks / "Pulumi.ci.yaml"
        ci.write_text(f"{ci.read_text().rstrip()}\n    release_signing: {{}}\n")
        run(home, "sandbox", "up", "ci", *up)
        stock = Stock(home, repository)
        block = "".join(f"          {line}\n" for line in stock.public_key().splitlines())
        trusted = f'release_signing:\n      public_keys:\n        "1": |\n{block}'
        ci.write_text(ci.read_text().replace("release_signing: {}\n", trusted))
        stock.commit("init", "--quiet", "--initial-branch=main")
        yield stock
    finally:
        fleet = fleet_of(home)
        if fleet is not None:
            fleet.stop()
        shutil.rmtree(folder, ignore_errors=True)
