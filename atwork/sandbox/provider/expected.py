"""What a preview can know of a resource's outputs: the inputs, what stays as it was, and unknowns for the rest.

As the official providers answer: a value that only the cloud computes is unknown, at any depth, until the resource is
there; afterwards it stays known unless the update may change it.
https://pulumi-developer-docs.readthedocs.io/latest/developer-docs/providers/implementers-guide.html#create
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atwork.sandbox.provider.values import UNKNOWN, Json, is_secret, is_unknown, reveal, secret


def outputs(
    inputs: Mapping[str, Json], answered: Mapping[str, Json], before: Mapping[str, Json], names: Iterable[str]
) -> dict[str, Json]:
    """The outputs that a preview tells.

    `answered` is what the cloud would answer to these inputs, `before` what it has answered (empty for a resource that
    is not there), `names` the outputs of which nothing is known before it is there.
    """
    keys = {**inputs, **answered, **({} if before else dict.fromkeys(names))}
    return {key: _value(inputs.get(key), answered.get(key), before.get(key)) for key in keys}


def _value(given: Json, answered: Json, before: Json) -> Json:
    if is_secret(given) or is_secret(answered):
        return secret(_value(_opened(given), _opened(answered), _opened(before)))
    if is_unknown(given):
        return UNKNOWN
    if isinstance(given, Mapping) and isinstance(answered, Mapping):
        past = before if isinstance(before, Mapping) else {}
        return {key: _value(given.get(key), answered.get(key), past.get(key)) for key in {**given, **answered}}
    if given is None:
        return answered if answered is not None and reveal(before) == reveal(answered) else UNKNOWN
    return given if answered is None or reveal(answered) == reveal(given) else UNKNOWN


def _opened(value: Json) -> Json:
    return value["value"] if is_secret(value) else value
