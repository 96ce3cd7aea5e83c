"""From our rules to Pulumi's policies: the only file here that knows the engine.

The engine tells a pack the stack's configuration by ConfigureStack, before it asks for the policies; pulumi-policy 1.21
drops it for packs in Python. `_listen` takes it on the way: it is the one private name used here, held by the tests on
the real engine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

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
from pulumi_policy.proxy import UnknownValueError

from policies.rule import UNKNOWN, Resource, Rule
from policies.rules import ALL
from policies.settings import read


class Here:
    """The settings of the stack that is checked, known as soon as the engine has told them."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self.settings = read(config)
        self.needed: set[str] = set()
        """Keys of the exemptions that a violation was met by."""
        # The last one looks at what the others met.
        self.policies = [*(policy(rule, self) for rule in ALL), _unneeded(self)]

    def take(self, config: Mapping[str, str]) -> None:
        """Hold every policy to what the stack file says."""
        self.settings = read(config)
        for one in self.policies[:-1]:
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
        found = [_taken(one) for one in args.resources if rule.applies(one.resource_type)]
        with _blaming(rule, "all resources"):
            for one, message in rule.stack(found, here.settings.environment) if rule.stack else ():
                if not here.accepts(rule, one.name):
                    report(message, one.urn)

    return validate


def _unneeded(here: Here) -> Policy:
    """Advice on exemptions that nothing was met by: in a preview, values that are not known yet may be why."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        del args
        for one in here.settings.exemptions:
            if one.key not in here.needed:
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


def _taken(one: PolicyResource) -> Resource:
    return Resource(one.resource_type, one.name, plain(one.props), bool(one.opts.protect), one.urn)


def plain(value: Any) -> Any:
    """Properties as plain data: unknowns as `UNKNOWN`."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return {key: _known(mapping, key) for key in mapping}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_known(value, index) for index in range(len(value))]
    return value


def _known(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN
