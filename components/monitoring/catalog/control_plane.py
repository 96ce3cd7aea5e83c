"""Rules about the API server, and about the metrics of the cluster themselves."""

from __future__ import annotations

from components.monitoring.rule import AlertRule, Severities, Threshold

_REQUESTS = "apiserver_request_total"
_DURATIONS = "apiserver_request_duration_seconds_bucket"
_WEBHOOKS = "apiserver_admission_webhook_admission_duration_seconds_bucket"
# These last as long as their caller wants.
_LONG = 'subresource!~"log|exec|attach|portforward|proxy"'

RULES = (
    AlertRule(
        id="api-errors",
        title="The Kubernetes API answers with errors",
        value=f'sum(rate({_REQUESTS}{{$cluster,code=~"5.."}}[5m])) / sum(rate({_REQUESTS}{{$cluster}}[5m]))',
        threshold=Threshold(">", 3, "%"),
        minutes=10,
        severities=Severities(production="ticket", test="note"),
        effect_of="control plane",
    ),
    AlertRule(
        id="api-slow",
        title="The Kubernetes API is slow",
        value="histogram_quantile(0.99, sum by (le, verb) "
        f'(rate({_DURATIONS}{{$cluster,verb=~"GET|POST|PATCH|PUT|DELETE",{_LONG}}}[5m])))',
        threshold=Threshold(">", 1, "s"),
        minutes=15,
        severities=Severities(production="ticket"),
        effect_of="control plane",
    ),
    AlertRule(
        id="webhook-slow",
        title="An admission webhook is slow",
        value=f"histogram_quantile(0.99, sum by (le, name) (rate({_WEBHOOKS}{{$cluster}}[5m])))",
        # The API server gives up after 10 s (https://cloud.google.com/kubernetes-engine/docs/how-to/optimize-webhooks).
        threshold=Threshold(">", 5, "s"),
        minutes=10,
        severities=Severities(production="ticket"),
    ),
    AlertRule(
        id="telemetry-gone",
        title="The cluster sends no metrics",
        value="absent(kube_pod_status_phase{$cluster})",
        threshold=Threshold("==", 1),
        minutes=15,
        severities=Severities(production="page", test="ticket", build="note"),
    ),
)
