"""Conditions of IAM bindings: the part of the Common Expression Language that the platform's conditions use.

Comparisons of `resource.name`, `resource.type`, `resource.service` and `request.time`, and the limit on roles that may
be granted, joined by `||`, `&&`, `!` and parentheses. Any other expression is refused, so that no answer depends on a
condition that was not evaluated. A CEL library would add a parser generator and its own types for five comparisons.
https://cloud.google.com/iam/docs/setting-limits-on-granting-roles
https://cloud.google.com/iam/docs/conditions-overview
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from atwork.access.resources import condition_name, condition_type
from atwork.errors import AccessError

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<sign>\|\||&&|!(?!=)|\(|\))
    | resource\.(?P<attribute>name|type|service)\s*
      (?: (?P<operator>==|!=)\s*(?P<compared>"[^"\\]*"|'[^'\\]*')
        | \.(?P<method>startsWith|endsWith|contains)\(\s*(?P<argument>"[^"\\]*"|'[^'\\]*')\s*\) )
    | api\.getAttribute\(\s*(?P<quote>["'])iam\.googleapis\.com/modifiedGrantsByRole(?P=quote)\s*,\s*\[\]\s*\)
      \.hasOnly\(\s*\[(?P<roles>[^\]]*)\]\s*\)
    | request\.time\s*(?P<order><=|>=|<|>)\s*timestamp\(\s*(?P<moment>"[^"\\]*"|'[^'\\]*')\s*\)
    )\s*""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": lambda left, right: right in left,
}
_ORDER: dict[str, Callable[[datetime, datetime], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


@dataclass(frozen=True)
class ConditionRequest:
    """The request that a condition is evaluated for."""

    resource: str
    time: datetime
    granted: frozenset[str] = frozenset()
    """Roles that the request grants or revokes; empty when it changes no policy."""

    def attribute(self, name: str) -> str | None:
        """`resource.name`, `resource.type` or `resource.service`; None when the type is unknown."""
        kind = condition_type(self.resource)
        values = {"name": condition_name(self.resource), "type": kind, "service": kind and kind.partition("/")[0]}
        return values[name]


def holds(expression: str, request: ConditionRequest) -> bool:
    """Whether a condition is true for a request; `AccessError` for an expression outside the supported part."""
    parser = _Parser(expression, request)
    value = parser.disjunction()
    if parser.tokens:
        raise parser.refuse()
    return value


class _Parser:
    """Recursive descent over the tokens, with CEL's precedence: `!`, `&&`, `||`."""

    def __init__(self, expression: str, request: ConditionRequest) -> None:
        self.expression, self.request = expression, request
        self.tokens: list[re.Match[str]] = []
        position = 0
        while position < len(expression):
            token = _TOKEN.match(expression, position)
            if token is None:
                raise self.refuse()
            self.tokens.append(token)
            position = token.end()

    def disjunction(self) -> bool:
        value = self._conjunction()
        while self._take("||"):
            value = self._conjunction() or value
        return value

    def _conjunction(self) -> bool:
        value = self._operand()
        while self._take("&&"):
            value = self._operand() and value
        return value

    def _operand(self) -> bool:
        if self._take("!"):
            return not self._operand()
        if self._take("("):
            value = self.disjunction()
            if not self._take(")"):
                raise self.refuse()
            return value
        if not self.tokens or self.tokens[0]["sign"]:
            raise self.refuse()
        return self._compare(self.tokens.pop(0))

    def _compare(self, token: re.Match[str]) -> bool:
        if token["roles"] is not None:
            return self.request.granted <= {role.strip(" \t\"'") for role in token["roles"].split(",")}
        if token["order"]:
            moment = datetime.fromisoformat(token["moment"][1:-1])
            return _ORDER[token["order"]](self.request.time, moment)
        value = self.request.attribute(token["attribute"])
        if value is None:
            raise AccessError(
                f"{self.request.resource}: resource.{token['attribute']} is not known for this collection; "
                "add it to TYPES in atwork/access/resources.py"
            )
        operand = token["compared"] or token["argument"]
        return _COMPARE[token["operator"] or token["method"]](value, operand[1:-1])

    def _take(self, sign: str) -> bool:
        if self.tokens and self.tokens[0]["sign"] == sign:
            self.tokens.pop(0)
            return True
        return False

    def refuse(self) -> AccessError:
        return AccessError(
            f"condition {self.expression!r}: not in the supported part of CEL (comparisons of resource.name, "
            "resource.type, resource.service and request.time, modifiedGrantsByRole.hasOnly, joined by ||, && and !); "
            "extend atwork/access/conditions.py"
        )
