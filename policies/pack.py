"""The policy pack: turns the rules into Pulumi policies. The only module here that knows the engine.

The engine shows a resource policy the inputs of a resource when it is registered, and a stack policy the outputs of all
resources at the end. In a preview, a resource has no outputs when its provider is not configured yet (the kubeconfig
of a cluster that the same update creates), and unknown outputs when the provider computes them. Therefore the pack
records the inputs, and stack rules see inputs and outputs merged (`merged`).
https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/resource/plugin/provider_plugin.go (`Create`, `pcfg.known`)

The engine passes the stack's configuration in ConfigureStack, before it asks for the policies; pulumi-policy 1.21 drops
it for packs in Python. `_listen` intercepts that call. It uses the only private name here, which the tests on the real
engine check.
"""

from __future__ import annotations

import fnmatch
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
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

from components.names import PROJECT
from policies.catalog import RULES
from policies.properties import has_unknown, merged, plain
from policies.rule import UNKNOWN, CheckedResource, Rule
from policies.settings import PackSettings, read, read_stack


class PackState:
    """The settings of the checked stack, and what the pack has seen of its resources."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self.settings = read(config)
        self.needed: set[str] = set()
        """Keys of the exemptions that covered a violation."""
        self.inputs: dict[str, Any] = {}
        """Inputs of the registered resources, by URN."""
        self.rule_policies = [policy(rule, self) for rule in RULES]
        # The first policy sees each resource before the others; the last one reads what the others recorded.
        self.policies = [_input_recorder(self), *self.rule_policies, _exemption_check(self)]

    def configure(self, settings: PackSettings) -> None:
        """Apply the settings of the stack to every policy."""
        self.settings = settings
        for rule_policy in self.rule_policies:
            rule_policy.enforcement_level = self.level

    def exempts(self, rule: Rule, resource: str) -> bool:
        """Whether an exemption covers a violation; that exemption is recorded as needed."""
        exemption = self.settings.exemption(rule.name, resource)
        if exemption is not None:
            self.needed.add(exemption.key)
        return exemption is not None

    @property
    def level(self) -> EnforcementLevel:
        """Whether violations stop an update."""
        return EnforcementLevel.MANDATORY if self.settings.context.mandatory else EnforcementLevel.ADVISORY


def run() -> None:
    """Serve the pack until the engine ends it."""
    state = PackState(json.loads(os.environ.get("PULUMI_CONFIG") or "{}"))
    _listen(state)
    PolicyPack(PROJECT, state.policies, enforcement_level=state.level)


def _listen(state: PackState) -> None:
    servicer: Any = pulumi_policy.policy._PolicyAnalyzerServicer  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    original = servicer.ConfigureStack

    def configure_stack(self: Any, request: Any, context: Any) -> Any:
        # The engine starts a pack in its own folder, which is in the project.
        state.configure(read_stack(request.stack, dict(request.config), Path.cwd().parent / "stacks"))
        return original(self, request, context)

    servicer.ConfigureStack = configure_stack


def policy(rule: Rule, state: PackState) -> Policy:
    """The Pulumi policy for one rule."""
    description = f"{rule.description} ({rule.source})"
    if rule.stack is not None:
        return StackValidationPolicy(rule.name, description, _stack_validation(rule, state))
    return ResourceValidationPolicy(rule.name, description, _resource_validation(rule, state))


def _resource_validation(rule: Rule, state: PackState) -> Any:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if rule.resource is None or not rule.applies(args.resource_type):
            return
        resource = CheckedResource(args.resource_type, args.name, plain(args.props), bool(args.opts.protect), args.urn)
        with _name_failing_rule(rule, resource.name):
            for message in rule.resource(resource, state.settings.context):
                if not state.exempts(rule, resource.name):
                    report(message, None)

    return validate


def _stack_validation(rule: Rule, state: PackState) -> Any:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [_checked(item, state) for item in args.resources if rule.applies(item.resource_type)]
        with _name_failing_rule(rule, "all resources"):
            for resource, message in rule.stack(resources, state.settings.context) if rule.stack else ():
                if not state.exempts(rule, resource.name):
                    report(message, resource.urn)

    return validate


def _input_recorder(state: PackState) -> Policy:
    """Record the inputs of each resource for the stack rules; report nothing."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        del report
        state.inputs[args.urn] = plain(args.props)

    return ResourceValidationPolicy(
        "inputs-recorded",
        "Records the inputs of each resource for the rules that check all of them; reports nothing. (this pack)",
        validate,
        enforcement_level=EnforcementLevel.ADVISORY,
    )


def _exemption_check(state: PackState) -> Policy:
    """Report exemptions that no violation needs, once all values of their resources are known."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for key in state.settings.unreadable:
            report(f'policies.exemptions.{key}: cannot be read; put expires in quotes, such as "2027-06-30"', None)
        resources = [_checked(item, state) for item in args.resources]
        for exemption in () if state.settings.shared else state.settings.exemptions:
            if exemption.key not in state.needed and not any(
                fnmatch.fnmatchcase(resource.name, exemption.resource) and has_unknown(resource.properties)
                for resource in resources
            ):
                report(
                    f"policies.exemptions.{exemption.key}: {exemption.resource} satisfies {exemption.policy}; "
                    "remove the exemption",
                    None,
                )

    return StackValidationPolicy(
        "exemption-needed",
        "Every exemption covers a violation. (design: exemptions are reviewed)",
        validate,
        enforcement_level=EnforcementLevel.ADVISORY,
    )


@contextmanager
def _name_failing_rule(rule: Rule, subject: str) -> Generator[None]:
    """Raise an error that names a rule that fails, because a rule that did not run must not count as satisfied."""
    try:
        yield
    except Exception as error:
        raise RuntimeError(f"policy {rule.name} failed on {subject}: {error!r}; fix it in policies/rules/") from error


def _checked(resource: PolicyResource, state: PackState) -> CheckedResource:
    """A resource for the stack rules, with what is known of its inputs and its outputs."""
    properties = merged(state.inputs.get(resource.urn), plain(resource.props) or None)
    sources = {
        key: frozenset(source.urn for source in dependencies)
        for key, dependencies in resource.property_dependencies.items()
    }
    known = UNKNOWN if properties is None else properties
    return CheckedResource(
        resource.resource_type, resource.name, known, bool(resource.opts.protect), resource.urn, sources
    )
