"""Google's APIs that a release calls besides the registry: Cloud KMS and Container Analysis, with their rights.

The endpoints (tools/registry/endpoints) answer under the names of Google, and pass requests on to this server with the
principal of the token.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from atwork.errors import SandboxError
from atwork.sandbox import signing
from atwork.sandbox.cloud import Cloud

HOSTS = ("cloudkms.googleapis.com", "containeranalysis.googleapis.com")
PRINCIPAL = "X-Atwork-Principal"
"""Header with the principal of a request's token."""

_VERSION = r"/v1/(?P<key>projects/[^:]+/cryptoKeys/[^/:]+)/cryptoKeyVersions/(?P<version>[0-9]+)"
_SIGN = re.compile(rf"{_VERSION}:asymmetricSign")
_PUBLIC = re.compile(rf"{_VERSION}/publicKey")
_ATTACH = re.compile(r"/v1/(?P<project>projects/[^/]+)/occurrences")
_LIST = re.compile(r"/v1/(?P<note>projects/[^/]+/notes/[^/]+)/occurrences")

Body = dict[str, Any]


class ApiRefused(SandboxError):
    """A request that the API refuses, with its HTTP status."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class GoogleApis:
    """The APIs over the simulated cloud."""

    cloud: Cloud
    may: Callable[[str, str, str], bool]
    """Whether a principal has a permission on a resource."""

    def answer(self, method: str, path: str, principal: str, body: Body) -> Body:
        """The answer to a request; `ApiRefused` as Google refuses it."""
        try:
            if method == "POST" and (match := _SIGN.fullmatch(path)):
                return self._sign(match["key"], match["version"], principal, body)
            if method == "GET" and (match := _PUBLIC.fullmatch(path)):
                self._require(principal, "cloudkms.cryptoKeyVersions.viewPublicKey", match["key"])
                version = f"{match['key']}/cryptoKeyVersions/{match['version']}"
                pem = signing.public_key(self.cloud, version)
                return {"name": version, "algorithm": "EC_SIGN_P256_SHA256", "pem": pem}
            if method == "POST" and (match := _ATTACH.fullmatch(path)):
                self._require(principal, "containeranalysis.notes.attachOccurrence", str(body.get("noteName")))
                self._require(principal, "containeranalysis.occurrences.create", match["project"])
                return signing.attach(self.cloud, match["project"], body)
            if method == "GET" and (match := _LIST.fullmatch(path)):
                self._require(principal, "containeranalysis.notes.listOccurrences", match["note"])
                return {"occurrences": signing.occurrences(self.cloud, match["note"])}
        except KeyError as error:
            raise ApiRefused(HTTPStatus.NOT_FOUND, f"{error.args[0]} was not found") from None
        except ValueError as error:
            raise ApiRefused(HTTPStatus.BAD_REQUEST, str(error)) from None
        raise ApiRefused(HTTPStatus.NOT_FOUND, f"{method} {path}: not played on this machine")

    def _sign(self, key: str, number: str, principal: str, body: Body) -> Body:
        self._require(principal, "cloudkms.cryptoKeyVersions.useToSign", key)
        version = f"{key}/cryptoKeyVersions/{number}"
        digest = base64.b64decode((body.get("digest") or {}).get("sha256") or "", validate=True)
        signature = signing.sign(self.cloud, version, digest)
        return {"name": version, "signature": base64.b64encode(signature).decode(), "protectionLevel": "SOFTWARE"}

    def _require(self, principal: str, permission: str, resource: str) -> None:
        if not self.may(principal, permission, resource):
            message = f"Permission '{permission}' denied on resource '{resource}' (or it may not exist)."
            raise ApiRefused(HTTPStatus.FORBIDDEN, message)


@contextmanager
def serve(apis: GoogleApis) -> Generator[str]:
    """Serve on loopback until the end; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(urlsplit(self.path).path)
            try:
                body = json.loads(content or b"{}")
                status, answer = HTTPStatus.OK, apis.answer(self.command, path, self.headers.get(PRINCIPAL, ""), body)
            except ApiRefused as error:
                status, answer = error.status, _error(error.status, str(error))
            except ValueError:
                status, answer = HTTPStatus.BAD_REQUEST, _error(HTTPStatus.BAD_REQUEST, "Invalid JSON payload")
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _reply  # noqa: N815 (names of the base class)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
            """The caller's log has the answers."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="google-apis", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _error(status: HTTPStatus, message: str) -> Body:
    """An error as Google's APIs write it."""
    return {"error": {"code": status.value, "message": message, "status": status.phrase.upper().replace(" ", "_")}}
