"""`gcloud` for the rehearsal of docs/first-day.md: the commands of that page, against the fake Google Cloud.

Other commands fail, so that the page cannot contain an untested command.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import requests

ENDPOINT = os.environ["FIRST_DAY_GOOGLE"]


def call(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = requests.request(method, f"{ENDPOINT}{path}", json=body, timeout=30)
    if not answer.ok:
        sys.exit(f"ERROR: (gcloud) {answer.json()['error']['message']}")
    return answer.json()


def finish(operation: dict[str, Any], version: str) -> None:
    while not operation.get("done"):
        time.sleep(0.02)
        operation = call("GET", f"/{version}/{operation['name']}")


def create_project(options: argparse.Namespace) -> None:
    parent = f"organizations/{options.organization}"
    body = {"projectId": options.project, "displayName": options.name, "parent": parent, "state": "ACTIVE"}
    finish(call("POST", "/v3/projects", body), "v3")


def link_billing(options: argparse.Namespace) -> None:
    body = {"billingAccountName": f"billingAccounts/{options.billing_account}"}
    call("PUT", f"/v1/projects/{options.project}/billingInfo", body)


def enable_services(options: argparse.Namespace) -> None:
    body = {"serviceIds": options.services}
    finish(call("POST", f"/v1/projects/{options.project}/services:batchEnable", body), "v1")


def log_in(options: argparse.Namespace) -> None:
    """Record the login: the fake Google Cloud checks no credentials, but the test refuses access without a login."""
    if options.keeps_credentials:
        Path(os.environ["FIRST_DAY_LOGIN"]).touch()


def parser() -> argparse.ArgumentParser:
    gcloud = argparse.ArgumentParser("gcloud", allow_abbrev=False)
    gcloud.add_argument("--version", action="version", version="Google Cloud SDK (simulated)")
    groups = gcloud.add_subparsers(required=True)

    auth = groups.add_parser("auth").add_subparsers(required=True)
    auth.add_parser("login").set_defaults(run=log_in, keeps_credentials=False)
    default = auth.add_parser("application-default").add_subparsers(required=True)
    default.add_parser("login").set_defaults(run=log_in, keeps_credentials=True)
    quota = default.add_parser("set-quota-project")
    quota.add_argument("project")
    quota.set_defaults(run=log_in, keeps_credentials=False)

    create = groups.add_parser("projects").add_subparsers(required=True).add_parser("create")
    create.add_argument("project")
    create.add_argument("--name", required=True)
    create.add_argument("--organization", required=True)
    create.set_defaults(run=create_project)

    billing = groups.add_parser("billing").add_subparsers(required=True).add_parser("projects")
    link = billing.add_subparsers(required=True).add_parser("link")
    link.add_argument("project")
    link.add_argument("--billing-account", required=True)
    link.set_defaults(run=link_billing)

    enable = groups.add_parser("services").add_subparsers(required=True).add_parser("enable")
    enable.add_argument("services", nargs="+")
    enable.add_argument("--project", required=True)
    enable.set_defaults(run=enable_services)
    return gcloud


if __name__ == "__main__":
    arguments = parser().parse_args()
    arguments.run(arguments)
