"""The figures of a soak."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rich.table import Table


@dataclass
class SoakResult:
    """The figures of a soak, and its failure if there is one."""

    seed: int
    steps: int = 0
    seconds: float = 0.0
    failure: str = ""
    actions: Counter[str] = field(default_factory=Counter[str])
    figures: Counter[str] = field(default_factory=Counter[str])

    def table(self) -> Table:
        """The table that is printed at the end."""
        table = Table("what", box=None, pad_edge=False)
        table.add_column("count", justify="right")
        table.add_row("seed", str(self.seed))
        table.add_row("steps", str(self.steps))
        for name, count in sorted(self.actions.items()):
            table.add_row(f"  {name}", str(count))
        for name in (
            "commands",
            "edits",
            "faults",
            "faults hit",
            "changes behind",
            "kills",
            "cancels",
            "recoveries",
            "secrets planted",
            "objects compared",
            "orphans",
            "ghosts",
            "differences",
            "secrets in clear",
            "locks left",
        ):
            table.add_row(name, str(self.figures[name]))
        table.add_row("seconds", f"{self.seconds:.0f}")
        return table
