"""Accepted and refused settings of Jenkins, with their messages."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from support.jenkins import CLOUDS, LEAST, MOST, settings


def test_the_required_settings_are_sufficient_and_safe() -> None:
    least = settings()
    assert least.url == "https://jenkins.ci.example.com"
    assert least.protect_home
    assert not least.library.version_override
    assert (least.slack, least.gateway, least.deploys) == (None, None, {})


def test_everything_together_is_accepted() -> None:
    most = settings(MOST)
    assert list(most.deploys) == ["staging", "production"]
    assert most.deploys["staging"].approvers == ()


@pytest.mark.parametrize("key", sorted(LEAST))
def test_required_keys(key: str) -> None:
    without = {name: value for name, value in LEAST.items() if name != key}
    with pytest.raises(ValidationError, match=rf"{key}\n  Field required"):
        settings(without)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("hostname", "https://jenkins.example.com", "hostname"),
        ("hostname", "jenkins", "hostname"),
        ("admins", [], "at least 1 item"),
        ("admins", ["platform"], "admins.0"),
        ("github_credential", "github app", "github_credential"),
        ("library", {"version": "{{ .Values }}"}, "library.version"),
        ("library", {"path": "vars'"}, "library.path"),
        ("login", {"discovery": "http://login.example.com"}, "login.discovery"),
        ("login", {"domain": "example"}, "login.domain"),
        ("slack", {"team": "acme.slack.com", "channel": "#builds"}, "slack.team"),
        ("slack", {"team": "acme", "channel": "builds"}, "slack.channel"),
        ("max_agents", 0, "greater than or equal to 1"),
        ("max_agents", "40", "valid integer"),
        ("controller", {"memory": "4G"}, "controller.memory"),
        ("controller", {"cpu": "1.5 cores"}, "controller.cpu"),
        ("builds", {"ports": [70000]}, "less than or equal to 65535"),
        ("builds", {"quota": {"pods": 0}}, "greater than or equal to 1"),
        ("builds", {"quota": {"pods": 39}}, r"builds\.quota\.pods 39 is less than max_agents 40"),
        ("test_quota", {"pods": 39}, r"test_quota\.pods 39 is less than max_agents 40"),
        ("stores", ["oracle"], "'postgres', 'redis' or 'mysql'"),
        ("stores", ["redis", "redis"], "stores: redis is there twice; remove one"),
        ("images", {"kaniko": "kaniko:1.0"}, "images.kaniko"),
        ("images", {"buildkit": "moby/buildkit"}, "images.buildkit"),
        ("images", {"buildkit": "moby/buildkit:latest"}, r"no fixed tag; write name:1\.2\.3"),
        ("images", {"buildkit": "moby/buildkit@sha256:" + "0" * 64}, "images.buildkit"),
        ("chart", {"source": "ftp"}, "'repository', 'oci' or 'path'"),
        ("chart", {"version": "^5.9"}, "chart.version"),
        ("chart", {"source": "oci"}, r"chart\.location https://charts\.jenkins\.io must start with oci://"),
        ("chart", {"source": "path", "location": "chart"}, r"must start with \./ or \.\./ or /"),
        ("chart", {"location": "oci://ghcr.io/jenkins"}, "must start with https://"),
        ("deploys", {"Production": {}}, "deploys.Production"),
        ("deploys", {"e" * 49: {}}, "the name is too long; 48 characters at most"),
        ("deploys", {"production": {"approvers": ["release-managers"]}}, "approvers.0"),
        ("deploys", {"production": {"account": "deployer"}}, "account"),
        (
            "builds",
            {"quota": {"cpu": "10", "memory": "1Ti", "scratch": "4Ti", "pods": 100}},
            r"builds\.quota\.cpu has no room for 40 builds \(max_agents\) of 1500m each; write 60 or more",
        ),
        (
            "builds",
            {"quota": {"cpu": "64", "memory": "1Ti", "scratch": "1Ti", "pods": 100}},
            r"builds\.quota\.scratch has no room .* of 28672Mi each; write 1120Gi or more, or lower max_agents",
        ),
        ("builds", {"memory": "16Gi"}, r"builds\.quota\.memory has no room"),
        (
            "deploys",
            {"staging": {"preview_namespaces": {}}, "test": {"preview_namespaces": {}}},
            "staging, test all have preview_namespaces",
        ),
        (
            "deploys",
            {"staging": {"preview_namespaces": {}}, "preview": {}},
            r"deploys\.preview: the name is reserved for the job",
        ),
        ("deploys", {"promote": {}}, r"deploys\.promote: the name is reserved for the job that releases builds"),
        ("deploys", {"staging": {"preview_namespaces": {"hours": 0}}}, "greater than or equal to 1"),
        ("platform", {**MOST["platform"], "bot": "a b"}, "platform.bot"),
        (
            "slack",
            {"team": "acme", "channel": "#builds", "token_credential": "github-app"},
            "two credentials are called github-app; give each a name of its own",
        ),
        ("gateway", {"nam": "ci"}, r"gateway.nam\n  Extra inputs"),
        ("hostnames", "jenkins.example.com", "Extra inputs are not permitted"),
    ],
)
def test_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(**{key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chart", {"source": "oci", "location": "oci://ghcr.io/jenkinsci/helm-charts/jenkins"}),
        ("chart", {"source": "path", "location": "../charts/jenkins"}),
        ("images", {"buildkit": "registry.example.com:5000/buildkit:v1.2.3@sha256:" + "0" * 64}),
        ("controller", {"cpu": "1500m", "memory": "8Gi", "disk": "1Ti"}),
        ("stores", []),
        ("deploys", {"e" * 48: {}}),
        ("deploys", {"preview": {}}),
        ("deploys", {"staging": {"preview_namespaces": {"hours": 336}}}),
        ("platform", MOST["platform"]),
        ("admin_user", "operator"),
        ("builds", {"quota": {"cpu": "60", "memory": "220Gi", "scratch": "1120Gi", "pods": 40}}),
    ],
)
def test_accepted(key: str, value: object) -> None:
    assert getattr(settings(**{key: value}), key) is not None


def test_google_accounts_must_be_of_the_domain_that_all_admins_are_of() -> None:
    assert settings().login_domain == "example.com"
    assert settings(login={"domain": "example.org"}).login_domain == "example.org"


def test_admins_of_two_domains_need_a_login_domain() -> None:
    admins = ["platform@example.com", "partner@example.org"]
    with pytest.raises(ValidationError, match=r"admins are of example\.com, example\.org, so login\.domain must say"):
        settings(admins=admins)
    assert settings(admins=admins, login={"domain": "example.com"}).login_domain == "example.com"


def test_another_login_provider_restricts_accounts_itself() -> None:
    login = {"discovery": "https://login.example.com/.well-known/openid-configuration"}
    assert settings(login=login, admins=["a@example.com", "b@example.org"]).login_domain is None


def test_fewer_agents_need_a_smaller_quota() -> None:
    quota = {"cpu": "3", "memory": "11Gi", "scratch": "56Gi", "pods": 4}
    assert settings(max_agents=2, builds={"quota": quota}).max_agents == 2


def test_each_pod_with_rights_outside_has_its_own_cloud() -> None:
    assert list(settings(MOST).targets()) == CLOUDS
    assert settings().targets() == {}
    assert settings().previews() is None
