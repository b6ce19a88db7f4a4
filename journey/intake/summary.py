"""What became of the rows of an import, table by table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class TableSummary:
    """The books of one table: ``read`` is the sum of inserted, updated, unchanged, quarantined and conflicts."""

    table: str
    file: str = ""
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0
    conflicts: int = 0
    stubs: int = 0
    unknown_columns: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rejected(self) -> int:
        """Rows that were kept out."""
        return self.quarantined + self.conflicts

    def as_json(self) -> dict[str, Any]:
        """The document of this table, with the speed."""
        speed = self.read / self.seconds if self.seconds else 0.0
        return {**asdict(self), "seconds": round(self.seconds, 3), "rows_per_second": round(speed)}


@dataclass
class ImportSummary:
    """What became of a folder; ``reasons`` has the first reasons for which rows were kept out."""

    source: str
    run_id: int = 0
    tables: list[TableSummary] = field(default_factory=list)
    relinked: int = 0
    reasons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """Rows that were kept out, over all tables."""
        return sum(table.rejected for table in self.tables)

    def as_json(self) -> dict[str, Any]:
        """One JSON document."""
        return {
            "source": self.source,
            "run_id": self.run_id,
            "tables": [table.as_json() for table in self.tables],
            "relinked": self.relinked,
            "reasons": self.reasons,
        }
