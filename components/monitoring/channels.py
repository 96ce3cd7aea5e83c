"""Notification channels: those that exist by their name, those without a secret made by the program.

Traps:
- The ID of a channel is its resource name; the property `name` is an output that only an answer of Google fills.
- Monitoring publishes to a topic as its own service agent, which must be asked for and let in first
  (https://cloud.google.com/monitoring/support/notification-options#pubsub).
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from components.monitoring.settings import ChannelSettings

AGENT = "monitoring.googleapis.com"
"""The service whose agent publishes to topics."""


def notification_channels(
    name: str,
    settings: Mapping[str, ChannelSettings],
    *,
    agent: pulumi.Input[str] | None,
    labels: Mapping[str, str],
    parent: pulumi.Resource,
) -> dict[str, pulumi.Input[str]]:
    """Resource names of the channels by the key of their settings; `agent` is needed for topics alone."""
    child = pulumi.ResourceOptions(parent=parent)
    channels: dict[str, pulumi.Input[str]] = {}
    for key, channel in settings.items():
        if channel.existing is not None:
            channels[key] = channel.existing
        elif channel.email is not None:
            channels[key] = gcp.monitoring.NotificationChannel(
                f"{name}-channel-{key}",
                display_name=key,
                type="email",
                labels={"email_address": channel.email},
                user_labels=labels,
                opts=child,
            ).id
        else:
            topic = gcp.pubsub.Topic(f"{name}-topic-{key}", name=channel.topic, opts=child)
            grant = gcp.pubsub.TopicIAMMember(
                f"{name}-topic-{key}-publisher",
                topic=topic.id,
                role="roles/pubsub.publisher",
                member=agent or "",
                opts=child,
            )
            channels[key] = gcp.monitoring.NotificationChannel(
                f"{name}-channel-{key}",
                display_name=key,
                type="pubsub",
                labels={"topic": topic.id},
                user_labels=labels,
                opts=pulumi.ResourceOptions(parent=parent, depends_on=[grant]),
            ).id
    return channels
