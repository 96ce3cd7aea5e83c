"""Many resources are checked at once, and the SDKs import their modules lazily, which is not safe for threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_TWELVE_AT_ONCE = """
import sys, threading
from atwork.sandbox.provider import schema

tokens = 2 * [
    "gcp:sql/databaseInstance:DatabaseInstance", "gcp:sql/user:User", "gcp:sql/database:Database",
    "gcp:container/nodePool:NodePool", "kubernetes:core/v1:Namespace", "kubernetes:helm.sh/v3:Release",
]
together = threading.Barrier(len(tokens))

def read(token):
    together.wait()
    try:
        assert schema.resource(token)["inputs"]["properties"]
    except BaseException as error:
        print(token, repr(error))

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=read, args=(token,)) for token in tokens]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_schemas_are_read_by_many_threads_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TWELVE_AT_ONCE],
        env={**os.environ, "ATWORK_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
