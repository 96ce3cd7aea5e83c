"""Who holds a stack, for the row of a report."""

from __future__ import annotations

from atwork.locks import model
from atwork.locks.store import Store, StoreError
from atwork.report.model import Held


def holders(store: Store | None, stack: str) -> tuple[tuple[Held, ...], str]:
    """The locks of a stack; else why nobody could look. A preview takes none and goes on beside one."""
    if store is None:
        return (), "locks of this kind of backend are not read here"
    try:
        found = model.locks(store, stack)
    except StoreError as error:
        return (), str(error)
    now = model.now()
    return tuple(Held(id=one.id, owner=one.words(now), run=one.run.url if one.run else "") for one in found), ""
