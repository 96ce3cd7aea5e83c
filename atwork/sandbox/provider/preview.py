"""The outputs of a resource in a preview: inputs, values that stay the same, and unknowns for the rest.

As in the official providers, a value that only the cloud computes is unknown, at any depth, until the resource exists;
later it stays known unless the update may change it.
https://pulumi-developer-docs.readthedocs.io/latest/developer-docs/providers/implementers-guide.html#create
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atwork.sandbox.provider.values import UNKNOWN, Json, is_secret, is_unknown, reveal, secret, without_envelope


def expected_outputs(
    inputs: Mapping[str, Json], computed: Mapping[str, Json], before: Mapping[str, Json], names: Iterable[str]
) -> dict[str, Json]:
    """The outputs that a preview reports.

    `computed` is what the cloud would return for these inputs, `before` what it returned last (empty for a new
    resource), `names` the outputs that are unknown for a new resource.
    """
    keys = {**inputs, **computed, **({} if before else dict.fromkeys(names))}
    return {key: _expected(inputs.get(key), computed.get(key), before.get(key)) for key in keys}


def _expected(given: Json, computed: Json, before: Json) -> Json:
    if is_secret(given) or is_secret(computed):
        return secret(_expected(*map(without_envelope, (given, computed, before))))
    if is_unknown(given):
        return UNKNOWN
    if isinstance(given, Mapping) and isinstance(computed, Mapping):
        past = before if isinstance(before, Mapping) else {}
        return {key: _expected(given.get(key), computed.get(key), past.get(key)) for key in {**given, **computed}}
    if given is None:
        return computed if computed is not None and reveal(before) == reveal(computed) else UNKNOWN
    return given if computed is None or reveal(computed) == reveal(given) else UNKNOWN
