"""From our rules to Pulumi's policies: the only file here that knows the engine.

The engine shows a resource policy the inputs of a resource as it is registered, and a stack policy the outputs of all
resources at the end. In a preview, a resource has no outputs at all where its provider is not configured yet (the
kubeconfig of a cluster that the same update creates), and unknown ones where the provider computes them. So the pack
keeps the inputs, and rules over all resources see both (`merged`).
https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/resource/plugin/provider_plugin.go (`Create`, `pcfg.known`)

The engine tells a pack the stack's configuration by ConfigureStack, before it asks for the policies; pulumi-policy 1.21
drops it for packs in Python. `_listen` takes it on the way: it is the one private name used here, held by the tests on
the real engine.
"""

from __future__ import annotations

import fnmatch
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import pulumi_policy.policy
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.properties import has_unknown, merged, plain
from policies.rule import UNKNOWN, Resource, Rule
from policies.rules import ALL
from policies.settings import read


class Here:
    """The settings of the stack that is checked, known as soon as the engine has told them."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self.settings = read(config)
        self.needed: set[str] = set()
        """Keys of the exemptions that a violation was met by."""
        self.inputs: dict[str, Any] = {}
        """Inputs of the resources that were registered, by URN."""
        self.held = [policy(rule, self) for rule in ALL]
        # The first one sees each resource before the others, the last one looks at what the others met.
        self.policies = [_remembering(self), *self.held, _unneeded(self)]

    def take(self, config: Mapping[str, str]) -> None:
        """Hold every policy to what the stack file says."""
        self.settings = read(config)
        for one in self.held:
            one.enforcement_level = self.level

    def accepts(self, rule: Rule, resource: str) -> bool:
        """Whether a violation is exempt; the exemption is then known to be needed."""
        found = self.settings.exempting(rule.name, resource)
        if found is not None:
            self.needed.add(found.key)
        return found is not None

    @property
    def level(self) -> EnforcementLevel:
        """Whether violations stop an update."""
        return EnforcementLevel.MANDATORY if self.settings.environment.mandatory else EnforcementLevel.ADVISORY


def run() -> None:
    """Serve the pack until the engine ends it."""
    here = Here(json.loads(os.environ.get("PULUMI_CONFIG") or "{}"))
    _listen(here)
    PolicyPack("atwork", here.policies, enforcement_level=here.level)


def _listen(here: Here) -> None:
    servicer: Any = pulumi_policy.policy._PolicyAnalyzerServicer  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    drop = servicer.ConfigureStack

    def configure_stack(self: Any, request: Any, context: Any) -> Any:
        here.take(dict(request.config))
        return drop(self, request, context)

    servicer.ConfigureStack = configure_stack


def policy(rule: Rule, here: Here) -> Policy:
    """One of Pulumi's policies for one rule."""
    description = f"{rule.description} ({rule.source})"
    if rule.stack is not None:
        return StackValidationPolicy(rule.name, description, _stack(rule, here))
    return ResourceValidationPolicy(rule.name, description, _resource(rule, here))


def _resource(rule: Rule, here: Here) -> Any:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if rule.resource is None or not rule.applies(args.resource_type):
            return
        one = Resource(args.resource_type, args.name, plain(args.props), bool(args.opts.protect), args.urn)
        with _blaming(rule, one.name):
            for message in rule.resource(one, here.settings.environment):
                if not here.accepts(rule, one.name):
                    report(message, None)

    return validate


def _stack(rule: Rule, here: Here) -> Any:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        found = [_seen(one, here) for one in args.resources if rule.applies(one.resource_type)]
        with _blaming(rule, "all resources"):
            for one, message in rule.stack(found, here.settings.environment) if rule.stack else ():
                if not here.accepts(rule, one.name):
                    report(message, one.urn)

    return validate


def _remembering(here: Here) -> Policy:
    """Keeps the inputs of each resource for the rules over all of them; it reports nothing."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        del report
        here.inputs[args.urn] = plain(args.props)

    return ResourceValidationPolicy(
        "inputs-remembered",
        "Keeps what the program says of each resource for the rules over all of them; reports nothing. (this pack)",
        validate,
        enforcement_level=EnforcementLevel.ADVISORY,
    )


def _unneeded(here: Here) -> Policy:
    """Advice on exemptions that no violation needed, where all values of their resources are known."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for key in here.settings.unreadable:
            report(f'policies.exemptions.{key}: exempts nothing; expires must be in quotes, such as "2027-06-30"', None)
        resources = [_seen(one, here) for one in args.resources]
        for one in here.settings.exemptions:
            if one.key not in here.needed and not any(
                fnmatch.fnmatchcase(resource.name, one.resource) and has_unknown(resource.properties)
                for resource in resources
            ):
                report(f"policies.exemptions.{one.key}: {one.resource} keeps {one.policy}; remove the exemption", None)

    return StackValidationPolicy(
        "exemption-needed",
        "An exemption goes when its violation is mended. (design: exemptions are reviewed)",
        validate,
        enforcement_level=EnforcementLevel.ADVISORY,
    )


@contextmanager
def _blaming(rule: Rule, what: str) -> Generator[None]:
    """Name the rule that failed itself: its silence must not pass for consent."""
    try:
        yield
    except Exception as error:
        raise RuntimeError(
            f"the policy {rule.name} itself failed on {what}: {error!r}; mend policies/rules/"
        ) from error


def _seen(one: PolicyResource, here: Here) -> Resource:
    """A resource as the rules over all resources see it, by what is known of its inputs and its outputs."""
    properties = merged(here.inputs.get(one.urn), plain(one.props) or None)
    sources = {
        key: frozenset(source.urn for source in resources) for key, resources in one.property_dependencies.items()
    }
    known = UNKNOWN if properties is None else properties
    return Resource(one.resource_type, one.name, known, bool(one.opts.protect), one.urn, sources)
