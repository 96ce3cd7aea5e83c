"""Parts of a URN, the engine's name of a resource: `urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME`.

A name may contain `::`. https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
"""

from __future__ import annotations

_PREFIX = "urn:pulumi:"
_SEPARATOR = "::"


def stack_of(urn: str) -> str:
    """The stack of a resource; "" for an empty URN."""
    return urn.removeprefix(_PREFIX).partition(_SEPARATOR)[0]


def type_of(urn: str) -> str:
    """The resource's own type, without the types of its parents; "" for what is not a URN."""
    parts = _parts(urn)
    return parts[2].rpartition("$")[2] if len(parts) > 3 else ""


def name_of(urn: str) -> str:
    """The name of a resource in the program; text that is not a URN is returned as it is."""
    return _parts(urn)[-1]


def without_name(urn: str) -> str:
    """The part before the name: stack, project and the types of the parents and of the resource."""
    return _SEPARATOR.join(_parts(urn)[:-1])


def provider_of(reference: str) -> str:
    """The provider's URN in the reference `URN::ID` of a resource to its provider; "" for an empty reference."""
    return reference.rpartition(_SEPARATOR)[0]


def _parts(urn: str) -> list[str]:
    return urn.split(_SEPARATOR, 3)
