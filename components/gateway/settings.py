"""The section `gateway` of a stack file: the domain, its DNS, the web application firewall, and who gets in."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.forms import TextForm
from components.secrets import SECRET_NAME
from components.settings import DnsLabel, Email, Hostname, Settings

WafRule = Literal[
    "cve-canary",
    "java-v33-stable",
    "lfi-v33-stable",
    "methodenforcement-v33-stable",
    "nodejs-v33-stable",
    "php-v33-stable",
    "protocolattack-v33-stable",
    "rce-v33-stable",
    "rfi-v33-stable",
    "scannerdetection-v33-stable",
    "sessionfixation-v33-stable",
    "sqli-v33-stable",
    "xss-v33-stable",
]
"""Preconfigured rules of Cloud Armor. https://cloud.google.com/armor/docs/waf-rules"""


OAuthClientId = Annotated[
    str,
    TextForm(
        r"^[0-9]{6,21}-[a-z0-9]{16,64}\.apps\.googleusercontent\.com$",
        "the ID of an OAuth client of the type web application",
        "482915370164-0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p.apps.googleusercontent.com",
    ),
]
"""The ID of an OAuth client of Google. https://support.google.com/cloud/answer/15549257"""


class DnsSettings(Settings):
    """Where the names of the domain are answered: exactly one of the two."""

    delegated: bool = False
    """Create a zone for the domain. The zone above delegates to its name servers, which are an output of the stack."""

    zone: DnsLabel | None = None
    """Name of a public zone of this project that exists and that holds the domain."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.delegated == (self.zone is not None):
            raise ValueError(
                "the domain needs one zone; write {delegated: true} to create it, or {zone: NAME} for one that exists"
            )
        return self


class WafSettings(Settings):
    """The Cloud Armor policy in front of every host."""

    rules: Annotated[tuple[WafRule, ...], Field(max_length=15)] = (
        "sqli-v33-stable",
        "xss-v33-stable",
        "lfi-v33-stable",
        "rce-v33-stable",
        "scannerdetection-v33-stable",
        "protocolattack-v33-stable",
    )
    """Preconfigured rules that deny a request."""

    preview: bool = True
    """Whether the rules only log what they would deny; false once the logs show no request of your own."""

    sensitivity: Annotated[int, Field(ge=1, le=4)] = 1
    """Sensitivity of the rules; higher levels deny more, also requests that are no attack."""

    requests_per_minute: Annotated[int, Field(ge=10, le=10_000)] = 1200
    """Requests of one address in a minute; the others are answered with 429."""


class IapClientSettings(Settings):
    """An OAuth client of your own, with which the Identity-Aware Proxy asks for a login."""

    id: OAuthClientId
    """ID of the client, of the type web application."""

    secret: Annotated[str, replace(SECRET_NAME, example="iap-client-secret")]
    """Name in Secret Manager of the client's secret, which `atwork environment bootstrap` creates with its value."""


class IapSettings(Settings):
    """The Identity-Aware Proxy in front of hosts that are not public."""

    groups: Annotated[tuple[Email, ...], Field(min_length=1)]
    """Google Groups whose members get in."""

    client: IapClientSettings | None = None
    """An OAuth client of your own; left out, the proxy uses the one that Google manages."""


class InternalSettings(Settings):
    """A regional internal Application Load Balancer, which the internet does not reach."""

    global_access: bool = False
    """Whether clients in other regions reach it, such as those behind a VPN or an Interconnect there."""


class GatewaySettings(Settings):
    """The way into the environment: a global external Application Load Balancer, or a regional internal one."""

    domain: Hostname
    """Domain of all hosts: the domain itself and names one label below it, which its certificate covers."""

    dns: Annotated[DnsSettings, Field(examples=[{"delegated": True}])]
    """Where the domain's names are answered."""

    internal: InternalSettings | None = None
    """An internal load balancer, which only your networks reach, such as by VPN or peering; needs `network.proxies`."""

    waf: WafSettings | None = WafSettings()
    """The web application firewall, not with `internal`; null removes it, and no host is public then."""

    iap: IapSettings | None = None
    """Who reaches hosts that are not public; not with `internal`, where the network decides."""

    timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] = 30
    """How long a service may take to answer a request."""

    log_sampling: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Part of the requests that are logged; 0 turns the log off."""

    @property
    def firewall(self) -> WafSettings | None:
        """The web application firewall that is in front of hosts."""
        return self.waf if self.internal is None else None

    @property
    def iap_client(self) -> IapClientSettings | None:
        """The OAuth client of the Identity-Aware Proxy; None where Google manages it, and without the proxy."""
        return None if self.iap is None else self.iap.client

    @model_validator(mode="after")
    def _fits_its_class(self) -> Self:
        if self.internal is None:
            return self
        if "waf" in self.model_fields_set and self.waf is not None:
            raise ValueError(
                "waf: is for hosts that the internet reaches, and internal keeps it out; remove waf, or remove internal"
            )
        if self.iap is not None:
            raise ValueError("iap: is for an external gateway, and internal admits by network; remove iap or internal")
        return self

    def mistake(self, host: str) -> str | None:
        """What is wrong with a host; None for one that the certificate covers."""
        below = host.removesuffix(f".{self.domain}")
        if host == self.domain or (below != host and "." not in below):
            return None
        where = "is not in" if below == host else "is more than one label below"
        return f"{host} {where} gateway.domain {self.domain}; write NAME.{self.domain}"
