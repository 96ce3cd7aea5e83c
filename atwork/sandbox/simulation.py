"""The running simulation: the providers of a sandbox, with its journal and its faults around all calls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.faults.interceptor import FaultInterceptor
from atwork.sandbox.faults.store import FaultStore
from atwork.sandbox.journal import CallJournal
from atwork.sandbox.provider.server import ProviderServers, serve


@dataclass(frozen=True)
class Simulation:
    """Served providers and the journal of their calls."""

    providers: ProviderServers
    journal: CallJournal

    @property
    def ports(self) -> dict[str, int]:
        """Ports by package."""
        return self.providers.ports

    def stop(self) -> None:
        """Stop the providers and wait for running calls."""
        self.providers.stop()
        self.journal.close()


def start(cloud_path: Path, fleet: Fleet | None = None) -> Simulation:
    """Serve the providers over a cloud file; `CloudCorrupt` if it is damaged. `fleet` has the real clusters."""
    faults = FaultInterceptor(FaultStore(cloud_path.with_name("faults.sqlite")))
    journal = CallJournal(cloud_path.with_name("running"))
    return Simulation(serve(cloud_path, fleet, [journal, faults]), journal)
