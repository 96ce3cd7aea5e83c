"""Where the access model of a checkout comes from.

The sandbox is above this package. `atwork/cli.py` registers its model, so that the commands do not import it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # Registered at every start of the command line, which loads neither the model nor the providers' SDKs for it.
    from atwork.access.audit import AccessFinding
    from atwork.access.model import AccessModel
    from atwork.checkout import Checkout


class AccessSource(Protocol):
    """The bindings of a checkout's environments, and what differs from their duties."""

    def model(self) -> AccessModel:
        """The model of all environments that are up; `AccessError` when none is."""
        ...

    def findings(self) -> list[AccessFinding]:
        """All differences between rights and duties of the identities of the environments that are up."""
        ...


_registered: list[Callable[[Checkout], AccessSource]] = []


def register_source(source: Callable[[Checkout], AccessSource]) -> None:
    """Set what the access model of a checkout is."""
    _registered[:] = [source]


def source_of(checkout: Checkout) -> AccessSource:
    """The access model of a checkout."""
    return _registered[0](checkout)
