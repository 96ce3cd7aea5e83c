"""A sandbox with Jenkins and staging on real clusters, and the repository of a new service, for most pipelines.

Whether staging requires attestations, each module says (`Stock.require`): modules may run in the same sandbox, in any
order.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.pipelines import Stock, sandbox


@pytest.fixture(scope="package")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    new = ("--stores", "postgres,redis", "--secrets", "api-key")
    with sandbox(tmp_path_factory.mktemp("pipeline"), "stock", new, ("--clusters", "real")) as stock:
        yield stock
