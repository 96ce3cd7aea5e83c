"""`pulumi` for the rehearsal: `stack init` is simulated, because it needs a bucket and a key of Google Cloud.

`stack init` writes into the simulated bucket and the stack file what the engine writes there. Every other command is
run by `pulumi` of the sandbox, which has the state of the stack on this machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import requests

ENCRYPTED_KEY = "c2VjcmV0"


def stack_init(arguments: list[str]) -> None:
    name, provider = arguments[2], arguments[arguments.index("--secrets-provider") + 1]
    bucket = os.environ["PULUMI_BACKEND_URL"].removeprefix("gs://")
    state = {"url": provider, "encryptedkey": ENCRYPTED_KEY}
    checkpoint = {"latest": {"secrets_providers": {"type": "cloud", "state": state}}}
    target = f"{os.environ['FIRST_DAY_GOOGLE']}/engine/{bucket}/o/.pulumi/stacks/atwork/{name}.json"
    requests.put(target, json={"version": 3, "checkpoint": checkpoint}, timeout=30).raise_for_status()
    file = Path("stacks", f"Pulumi.{name}.yaml")
    before = file.read_text() if file.exists() else ""
    file.write_text(f"secretsprovider: {provider}\nencryptedkey: {ENCRYPTED_KEY}\n{before}")


if __name__ == "__main__":
    if sys.argv[1:3] == ["stack", "init"]:
        stack_init(sys.argv[1:])
    else:
        environment = {**os.environ, "ATWORK_PULUMI": os.environ["FIRST_DAY_ENGINE"]}
        command = [os.environ["FIRST_DAY_SANDBOX_PULUMI"], *sys.argv[1:]]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
