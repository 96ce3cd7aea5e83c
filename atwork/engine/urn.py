"""Parts of a URN, the engine's name of a resource: `urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME`.

A name may contain `::`. https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
"""

from __future__ import annotations

_PREFIX = "urn:pulumi:"
_SEPARATOR = "::"

STACK_TYPE = "pulumi:pulumi:Stack"
"""The type of the resource that stands for a stack."""


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


def child_of(parent: str, kind: str, name: str) -> str:
    """The URN of a resource by that of its parent; the stack itself gives its children no type of a parent."""
    above = without_name(parent)
    stack, project, types = above.split(_SEPARATOR, 2)
    types = kind if types == STACK_TYPE else f"{types}${kind}"
    return _SEPARATOR.join([stack, project, types, name])


def root_of(stack: str, project: str) -> str:
    """The URN of a stack itself, the parent of all that has no other."""
    return _SEPARATOR.join([f"{_PREFIX}{stack}", project, STACK_TYPE, f"{project}-{stack}"])


def provider_of(reference: str) -> str:
    """The provider's URN in the reference `URN::ID` of a resource to its provider; "" for an empty reference."""
    return reference.rpartition(_SEPARATOR)[0]


def _parts(urn: str) -> list[str]:
    return urn.split(_SEPARATOR, 3)
