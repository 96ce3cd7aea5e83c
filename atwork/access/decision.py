"""The answer to the question whether a principal has a permission on a resource."""

from __future__ import annotations

from dataclasses import dataclass

from atwork.access.binding import Binding


@dataclass(frozen=True)
class AccessDecision:
    """The answer to one question. `binding` allows it; `rejected` are bindings whose condition is false."""

    principal: str
    permission: str
    resource: str
    binding: Binding | None = None
    rejected: tuple[Binding, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the principal has the permission there."""
        return self.binding is not None

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def inherited_from(self) -> str | None:
        """The project, folder or organization whose binding allows it; None for a binding on the resource itself."""
        if self.binding is None or self.binding.resource == self.resource:
            return None
        return self.binding.resource

    @property
    def reason(self) -> str:
        """The answer in one sentence."""
        what = f"{self.principal} has {self.permission} on {self.resource}"
        if self.binding is not None:
            where = f", inherited from {self.inherited_from}" if self.inherited_from else ""
            return f"{what} by {self.binding.role} of {self.binding.member}{where}"
        denied = f"{self.principal} does not have {self.permission} on {self.resource}"
        if not self.rejected:
            return f"{denied}: no binding grants it"
        listed = ", ".join(
            f"{binding.role} ({binding.condition.title})" for binding in self.rejected if binding.condition
        )
        return f"{denied}: the condition is false for {listed}"
