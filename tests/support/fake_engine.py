"""A fake of the engine and its backend: stacks in one JSON file, and the commands that delete an environment.

It is a program, so that tested code starts, reads and waits for processes as with the real engine. A stack can be set
to fail: with `{"fail": {"demo": {"destroy": ["no quota"]}}}`, its next `destroy` prints that and deletes nothing;
`inside` does the same for its next `destroy` of named resources.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class FakeBackend:
    """The file and the program; commands use `backend` instead of the sandbox."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "backend.json"
        self.program = folder / "pulumi"
        self.program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{__file__}" "$@"\n')
        self.program.chmod(0o755)
        self.write({"stacks": {}, "tags": {}, "fail": {}, "calls": []})

    def read(self) -> dict[str, Any]:
        return json.loads(self.path.read_text())

    def write(self, content: dict[str, Any]) -> None:
        _keep(self.path, content)

    def add(self, stack: str, *resources: dict[str, Any], end: str = "") -> None:
        """A stack with some resources; `end` is the label that its last update wrote."""
        content = self.read()
        root = resource("pulumi:pulumi:Stack", f"atwork-{stack}", stack)
        cluster = resource("gcp:container/cluster:Cluster", "cluster", stack, {"resourceLabels": {"expires-at": end}})
        content["stacks"][stack] = [root, cluster, *resources]
        self.write(content)

    def fail(self, stack: str, verb: str, *messages: str) -> None:
        content = self.read()
        content["fail"].setdefault(stack, {})[verb] = list(messages)
        self.write(content)

    @property
    def calls(self) -> list[str]:
        """Commands that change something, in order."""
        return [
            call
            for call in self.read()["calls"]
            if not call.startswith(("stack ls", "stack tag ls", "stack export", "version"))
        ]

    def backend(self) -> Any:
        """The backend for commands; the program itself cannot import it."""
        from support.fake_backend import FakeRemote

        return FakeRemote(url="", program=self.program, project=self.path.parent, stacks_file=self)


def _keep(path: Path, content: dict[str, Any]) -> None:
    """Replace the file atomically, as the backends of the engine do."""
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(content))
    unfinished.replace(path)


def resource(kind: str, name: str, stack: str, inputs: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:{stack}::atwork::{kind}::{name}"
    return {"type": kind, "urn": urn, "custom": True, "inputs": inputs or {}, **more}


def _wait_for_turn(words: Sequence[str], stack: str) -> None:
    """If FAKE_TURNS names a folder: create a file there, and continue when the test deletes it.

    Its name is `STACK COMMAND PROCESS`, where the deletion of some resources is the command `inside`.
    """
    if "FAKE_TURNS" in os.environ:
        command = "inside" if "--target" in words else words[0]
        turn = Path(os.environ["FAKE_TURNS"], f"{stack} {command} {os.getpid()}")
        turn.touch()
        while turn.exists():
            time.sleep(0.005)


def main(words: Sequence[str]) -> int:
    """One command of the engine."""
    # Like the engine, end after SIGINT also where a shell started the tests with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    path = Path(os.environ["FAKE_BACKEND"])
    options = {word: words[number + 1] for number, word in enumerate(words[:-1]) if word in ("--stack", "--event-log")}
    _wait_for_turn(words, options.get("--stack", ""))
    with path.with_suffix(".lock").open("w") as lock:  # stacks of groups are destroyed at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        content = json.loads(path.read_text())
        shown = [word for word in words if word not in ("--non-interactive", "--yes", "--skip-preview", "--json")]
        if shown[:2] == ["stack", "rm"]:  # the order of name and options means nothing
            shown.sort(key=lambda word: word.startswith("--"))
        unreachable = " unreachable-goes" if os.environ.get("PULUMI_K8S_DELETE_UNREACHABLE") else ""
        plain = " ".join(shown).partition(" --color")[0]
        content["calls"].append(plain + unreachable)
        code = _run(content, list(words), options)
        _keep(path, content)
        return code


def _run(content: dict[str, Any], words: list[str], options: dict[str, str]) -> int:
    stacks, stack = content["stacks"], options.get("--stack", "")
    match words:
        case ["version"] | ["stack", "ls" | "export", *_]:
            print(_shown(stacks, words, stack))
        case ["stack", "tag", *rest]:
            _tag(content["tags"].setdefault(stack, {}), rest)
        case ["stack", "rm", *rest]:
            name = next(word for word in rest if not word.startswith("--"))
            if stacks[name]:
                return _complain("refusing to remove stack because it still contains resources")
            del stacks[name]
            content["tags"].pop(name, None)
        case ["state", "delete", urn, *_]:
            stacks[stack] = [resource for resource in stacks[stack] if resource["urn"] != urn]
        case ["refresh", *_] if os.environ.get("PULUMI_K8S_DELETE_UNREACHABLE"):
            stacks[stack] = [resource for resource in stacks[stack] if resource.get("live", True)]
        case ["refresh", *_]:
            pass
        case ["destroy", *_]:
            return _destroy(content, words, stack, Path(options["--event-log"]))
        case _:
            return _complain(f"unknown command {words}")
    return 0


def _shown(stacks: dict[str, Any], words: list[str], stack: str) -> str:
    if words == ["version"]:
        return "v3.256.0"
    if words[1] == "export":
        return json.dumps({"version": 3, "deployment": {"resources": stacks[stack]}})
    return json.dumps(
        [{"name": name, "current": False, "resourceCount": len(held) - 1} for name, held in stacks.items()]
    )


def _tag(tags: dict[str, str], words: list[str]) -> None:
    match words:
        case ["set", name, value, *_]:
            tags[name] = value
        case ["rm", name, *_]:
            tags.pop(name, None)
        case _:
            print(json.dumps(tags))


def _destroy(content: dict[str, Any], words: list[str], stack: str, events: Path) -> int:
    failures = content["fail"].get(stack, {}).get("inside" if "--target" in words else "destroy", [])
    if failures:
        event = {"diagnosticEvent": {"severity": "error", "message": failures.pop(0)}}
        events.write_text(json.dumps(event) + "\n")
        return 255
    targets = [words[number + 1] for number, word in enumerate(words) if word == "--target"]
    held = content["stacks"][stack]
    kept = [resource for resource in held if targets and resource["urn"] not in targets]
    gone = [{"resourcePreEvent": {"metadata": {"urn": resource["urn"]}}} for resource in held if resource not in kept]
    events.write_text("".join(json.dumps(event) + "\n" for event in gone))
    content["stacks"][stack] = kept
    return 0


def _complain(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 255


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
