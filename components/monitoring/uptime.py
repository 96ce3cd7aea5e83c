"""An uptime check: Google asks for a host from several places, and validates its certificate.

Owns: one check. Does not own: the alerts, one for all checks (components/monitoring/catalog/hosts.py).

Traps:
- A check follows redirects, and judges the last answer and its certificate. The Identity-Aware Proxy redirects to
  Google's login page, which always works: a check sends the header of a script, so that the proxy answers 401 itself
  (https://cloud.google.com/iap/docs/sessions-howto).
- Any other answer than 401 is a failure then: 200 says that the proxy is off.
- Fewer than three places are refused (https://cloud.google.com/monitoring/uptime-checks).
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

_PLACES = ("EUROPE", "USA_VIRGINIA", "ASIA_PACIFIC")
"""Regions with one place each; fewer executions are charged than with all."""

_SCRIPT = {"X-Requested-With": "XMLHttpRequest"}

_PROXY_PATH = "/"
"""Behind the proxy, the path does not matter: no request passes."""


def uptime_check(
    name: str,
    host: str,
    *,
    project: str,
    path: str | None,
    labels: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Declare the check of a host; `path` answers 2xx, and a host behind the Identity-Aware Proxy has none."""
    check: gcp.monitoring.UptimeCheckConfigHttpCheckArgsDict = {
        "path": _PROXY_PATH if path is None else path,
        "port": 443,
        "use_ssl": True,
        "validate_ssl": True,
    }
    if path is None:
        check["headers"] = _SCRIPT
        check["accepted_response_status_codes"] = [{"status_value": 401}]
    else:
        check["accepted_response_status_codes"] = [{"status_class": "STATUS_CLASS_2XX"}]
    gcp.monitoring.UptimeCheckConfig(
        f"{name}-uptime",
        display_name=host,
        monitored_resource={"type": "uptime_url", "labels": {"project_id": project, "host": host}},
        http_check=check,
        period="60s",
        timeout="10s",
        selected_regions=[*_PLACES],
        user_labels=labels,
        opts=opts,
    )
