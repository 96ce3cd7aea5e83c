"""The locks of a stack, for the row of a report."""

from __future__ import annotations

from atwork.locks import model
from atwork.locks.store import LockStore, StoreError
from atwork.report.model import Held


def holders(store: LockStore | None, stack: str) -> tuple[tuple[Held, ...], str]:
    """The locks of a stack, and why they cannot be read; a preview takes no lock and ignores them."""
    if store is None:
        return (), "locks of this kind of backend are not read here"
    try:
        locks = model.locks(store, stack)
    except StoreError as error:
        return (), str(error)
    now = model.now()
    return tuple(Held(id=lock.id, owner=lock.words(now), run=lock.run.url if lock.run else "") for lock in locks), ""
