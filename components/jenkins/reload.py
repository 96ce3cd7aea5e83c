"""The token with which the chart's reloader asks Jenkins to load its configuration again.

The chart makes the name of the pod the token, which everybody who reaches port 8080 can guess. Its values can add a
second `-D` to Java's options, of which the last one counts, and a script that the reloader runs when files changed. The
token is that of an account without rights, which Kubernetes writes into a Secret (tokens.py).

Trap: the reloader still makes the chart's own request after the script; Jenkins refuses it, and nothing depends on it.
The init container runs the script, too, when Jenkins does not run yet.
https://github.com/kiwigrid/k8s-sidecar (SCRIPT), https://plugins.jenkins.io/configuration-as-code (casc.reload.token)
"""

from __future__ import annotations

from typing import Any

from components.jenkins import names, tokens

ACCOUNT = "jenkins-reload"
"""An account without rights: its token says only that its holder may reload."""

SECRET = "jenkins-reload-token"  # noqa: S105 (the name of a Secret)
JAVA_OPTION = "-Dcasc.reload.token=$(RELOAD_TOKEN)"
"""Must follow the chart's own option."""

_SCRIPT_MAP = "jenkins-reload"
_FOLDER = "/reload"
_FILE = "reload.sh"
_SCRIPT = """\
[ "$METHOD" = LIST ] && exit 0  # the init container: Jenkins does not run yet
exec python - <<'PYTHON'
import os, time, urllib.error, urllib.parse, urllib.request

query = urllib.parse.urlencode([("casc-reload-token", os.environ["RELOAD_TOKEN"])])
url = f"http://localhost:8080/reload-configuration-as-code/?{query}"
for attempt in range(60):
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30).close()
        break
    except urllib.error.HTTPError as error:
        if error.code < 500:
            raise SystemExit(f"Jenkins does not reload: HTTP {error.code}")
    except OSError:
        pass
    time.sleep(5)
else:
    raise SystemExit("Jenkins does not answer")
PYTHON
"""


def variable() -> dict[str, Any]:
    """The token as a variable of a container."""
    return {"name": "RELOAD_TOKEN", "valueFrom": {"secretKeyRef": {"name": SECRET, "key": tokens.KEY}}}


def reloader() -> dict[str, Any]:
    """Values of the chart's reloader: the variable, and the script in its volume."""
    return {
        "env": [variable(), {"name": "SCRIPT", "value": f"{_FOLDER}/{_FILE}"}],
        "additionalVolumeMounts": [{"name": _SCRIPT_MAP, "mountPath": _FOLDER, "readOnly": True}],
    }


def volume() -> dict[str, Any]:
    """The volume of the controller's pod with the script."""
    return {"name": _SCRIPT_MAP, "configMap": {"name": _SCRIPT_MAP}}


def objects() -> dict[str, dict[str, Any]]:
    """The empty Secret and the script as extra objects of the chart."""
    script = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _SCRIPT_MAP, "namespace": names.CONTROLLER_NAMESPACE},
        "data": {_FILE: _SCRIPT},
    }
    return {"reload-token": tokens.secret(SECRET, ACCOUNT), "reload-script": script}
