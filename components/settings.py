"""The base of every settings model, and the value types that several components share.

Settings are what a stack file may say: frozen, strict and closed, so that a typo or a quoted number is an
error and never a silent default. Wiring (what other resources say) is never in settings.
"""

from __future__ import annotations

import ipaddress
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from components import descriptions
from components.forms import TextForm
from components.google import locations, reserved


class Settings(BaseModel):
    """A part of a stack file: every field described, unknown keys refused, nothing converted."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", validate_default=True, use_attribute_docstrings=descriptions.WANTED
    )

    @model_validator(mode="after")
    def _entries_differ(self) -> Self:
        """Refuse a list with an entry twice: resources have the names of entries, and Google refuses doubles."""
        for key, entries in vars(self).items():
            if isinstance(entries, tuple):
                for entry in entries:
                    if isinstance(entry, str | int) and entries.count(entry) > 1:
                        raise ValueError(f"{key}: {entry} is there twice; remove one")
        return self


_RFC1918 = tuple(ipaddress.IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
# GKE also takes these for pods and nodes: the carrier-grade NAT block and the former class E.
# https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips#private_addressing
_GKE_PRIVATE = (*_RFC1918, ipaddress.IPv4Network("100.64.0.0/10"), ipaddress.IPv4Network("240.0.0.0/4"))


def _private_range(block: str) -> str:
    try:
        network = ipaddress.ip_network(block)
    except ValueError as error:
        raise ValueError(f"{error}; write an address range such as 10.0.0.0/20") from None
    if not isinstance(network, ipaddress.IPv4Network) or not any(
        network.subnet_of(private) for private in _GKE_PRIVATE
    ):
        blocks = ", ".join(str(private) for private in _GKE_PRIVATE)
        raise ValueError(f"{block} is not a private IPv4 range; choose one inside {blocks}")
    if mistake := reserved.address_mistake(network):
        raise ValueError(mistake)
    return block


PrivateRange = Annotated[
    str,
    AfterValidator(_private_range),
    Field(examples=["10.0.0.0/20"], json_schema_extra={"format": "ipv4-cidr"}),
]
"""A private IPv4 range in CIDR notation without host bits."""

Region = Annotated[
    str,
    TextForm(r"^[a-z]+-[a-z]+[0-9]{1,2}$", "a region, not a zone", "europe-west1"),
    AfterValidator(locations.known_region),
]
"""A Google Cloud region, such as europe-west1 (a zone, europe-west1-b, is not one)."""

Zone = Annotated[
    str,
    TextForm(r"^[a-z]+-[a-z]+[0-9]{1,2}-[a-z]$", "a zone", "europe-west1-b"),
    AfterValidator(locations.known_zone),
]
"""A Google Cloud zone, such as europe-west1-b."""

ProjectId = Annotated[
    str,
    TextForm(
        r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
        "6 to 30 lower-case letters, digits and hyphens, a letter first, no hyphen at the end",
        "acme-staging",
    ),
]
"""A Google Cloud project id: 6 to 30 lower-case letters, digits and hyphens, a letter first."""

LABEL_WORDS = "a name of at most 63 lower-case letters, digits and hyphens, a letter first, no hyphen at the end"

DnsLabel = Annotated[str, TextForm(r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", LABEL_WORDS, "orders")]
"""An RFC 1035 label: what most Google Cloud and Kubernetes names must be."""

Day = Annotated[date, Field(examples=["2027-06-30"])]
"""A day, in quotes: Pulumi rewrites dates without them whenever it saves a stack file."""

Moment = Annotated[AwareDatetime, Field(examples=["2027-01-31T18:00:00Z"])]
"""A date and time with its time zone, in quotes as a `Day`."""

DatabaseName = Annotated[
    str,
    TextForm(
        r"^[a-z_][a-z0-9_]{0,62}$",
        "at most 63 lower-case letters, digits and underscores, a letter first",
        "orders",
    ),
]
"""The name of a database in an instance."""

Owner = Annotated[
    str,
    TextForm(
        r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$",
        "1 to 63 lower-case letters, digits, hyphens and underscores, a letter or digit first and last",
        "team-orders",
    ),
]
"""A team, as a label of Google Cloud and of Kubernetes."""

Email = Annotated[
    str,
    TextForm(
        r"^[^@:\s{}$,\"\\]+@[a-z0-9.-]+\.[a-z]+$",
        "an e-mail address with its domain in lower case, without user: or group:",
        "platform@example.com",
    ),
]
"""An e-mail address of a person or a group, free of the characters that templates would read as their own."""


Hostname = Annotated[
    str,
    TextForm(
        r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
        "a full host name in lower case, without https://",
        "jenkins.ci.example.com",
    ),
]
"""A full DNS name in lower case, without a scheme."""

HttpsUrl = Annotated[
    str,
    TextForm(
        r"^https://[^\s{}$'\"\\]+$",
        "an address that begins with https://, without spaces, quotes, braces, dollar signs and backslashes",
        "https://github.com/acme/orders",
    ),
]
"""An https address, free of the characters that templates and scripts would read as their own."""

GithubRepositoryUrl = Annotated[
    str,
    TextForm(
        r"^https://github\.com/[A-Za-z0-9]([A-Za-z0-9-]{0,37}[A-Za-z0-9])?/[A-Za-z0-9._-]{0,99}[A-Za-z0-9_-]/?$",
        "the address of a repository on GitHub: https://github.com/OWNER/NAME",
        "https://github.com/acme/orders",
    ),
]
"""The https address of a repository on GitHub, also with `.git` or a slash at its end."""

SlackChannel = Annotated[str, TextForm(r"^#[a-z0-9_-]{1,80}$", "a Slack channel in lower case, with #", "#team-orders")]
"""A Slack channel, at most 80 characters: https://docs.slack.dev/reference/methods/conversations.create"""

BillingAccount = Annotated[
    str, TextForm(r"^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", "the ID of a billing account", "01AB23-CD45EF-678901")
]
"""The ID of a billing account."""

TimeOfDay = Annotated[str, TextForm(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "hours and minutes", "22:00")]
"""A time of day, in quotes: YAML reads 10:00 without them as a number."""


def duration(days: int) -> str:
    """A span as Google's APIs take it: seconds with an `s`."""
    return f"{days * 24 * 60 * 60}s"


def rfc3339(moment: datetime) -> str:
    """A moment as Google's APIs give it back."""
    return moment.isoformat().replace("+00:00", "Z")
