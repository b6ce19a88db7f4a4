"""Loads the batches of one table: check, resolve, stage, merge, and keep the books."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection

from journey.fact_days import MICROSECONDS, WHOLE, mark_days
from journey.intake import after, cells
from journey.intake.checking import ROW, Checked, check
from journey.intake.erased_rows import without_erased
from journey.intake.known import Known
from journey.intake.layout import Layout
from journey.intake.merging import merge
from journey.intake.quarantine import BAD, CONFLICT, ID_COLUMN, REASON_COLUMN, QuarantineWriter, Rejected
from journey.intake.resolution import resolve
from journey.intake.sources import Batch
from journey.intake.staging import Stage
from journey.intake.summary import TableSummary
from journey.intake.times import Zones
from journey.search import search_key

IN_LAKE = ("products", "customers", "stores", "stock", "coupons")


class TableLoader:
    """Loads one table from one source inside the caller's transaction."""

    def __init__(
        self,
        connection: Connection,
        layout: Layout,
        known: Known,
        *,
        file: str,
        run_id: int,
        now: datetime,
        keep_rejected: bool = True,
    ) -> None:
        self.connection, self.layout, self.known = connection, layout, known
        self.summary = TableSummary(layout.name, file)
        self.relinked = 0
        self._keep_rejected = keep_rejected
        self._writer = QuarantineWriter(connection, run_id=run_id, table=layout.name, file=file, now=now)
        self._stage: Stage | None = None

    def load(self, batch: Batch, checked: Checked) -> list[Rejected]:
        """Bring one checked batch into the record; returns the rows kept out, which are then in the quarantine."""
        resolved = resolve(self.known, self.layout, checked.good)
        frame = _newest_only(self.layout, _with_search_key(self.layout, resolved.frame))
        rejected = [Rejected(row.line, BAD, row.reason, row.raw) for row in batch.broken]
        rejected += _rejected(batch, checked.bad, BAD)
        if resolved.lost is not None:
            rejected += _rejected(batch, resolved.lost, BAD)
        inserted = updated = 0
        conflicts: list[int] = []
        if frame.height:
            merged = merge(self.connection, self.layout, frame, lambda: self._staged(frame))
            inserted, updated, conflicts = merged.inserted, merged.updated, merged.conflicts
            reason = f"the key ({', '.join(self.layout.keys)}) is known with other values"
            rejected += _rejected(batch, pl.DataFrame({ROW: conflicts, "reason": [reason] * len(conflicts)}), CONFLICT)
            if inserted or updated:
                self.relinked += after.merged(self.connection, self.layout, frame, self.known)
                self._mark(frame, resolved.stubs)
        if rejected and self._keep_rejected:
            self._writer.keep(without_erased(self.known, self.layout, rejected))
        books = self.summary
        bad = len(rejected) - len(conflicts)
        books.read += batch.read
        books.inserted += inserted
        books.updated += updated
        books.conflicts += len(conflicts)
        books.quarantined += bad
        books.unchanged += batch.read - inserted - updated - len(conflicts) - bad
        books.stubs += resolved.stubs
        return rejected

    def close(self) -> None:
        """Remove the temporary table."""
        if self._stage is not None:
            self._stage.drop()

    def _staged(self, frame: pl.DataFrame) -> Stage:
        columns = [name for name in frame.columns if name != ROW]
        if self._stage is None or self._stage.columns != columns:
            self._stage = Stage(self.connection, self.layout.table, columns)
        self._stage.fill(frame)
        return self._stage

    def _mark(self, frame: pl.DataFrame, stubs: int) -> None:
        if self.layout.fact_time:
            day = "local_day" if "local_day" in frame.columns else None
            days = frame[day] if day else frame[self.layout.fact_time] // MICROSECONDS
            mark_days(self.connection, self.layout.name, days.unique().to_list())
        if self.layout.name in IN_LAKE:
            mark_days(self.connection, self.layout.name, [WHOLE])
        if stubs:
            for table in ("products", "customers", "stores"):
                mark_days(self.connection, table, [WHOLE])


def check_batch(layout: Layout, batch: Batch, zones: Zones) -> Checked:
    """Check a batch and sort its good rows by key, so that indexes grow at one end."""
    checked = check(layout, batch.frame, zones)
    return Checked(checked.good.sort(*layout.keys, maintain_order=True), checked.bad)


def _newest_only(layout: Layout, frame: pl.DataFrame) -> pl.DataFrame:
    """Of master rows with the same key, the last (or newest) one: the others are superseded within the batch."""
    if not layout.master or not frame.height:
        return frame
    ordered = frame.sort(layout.newest, maintain_order=True) if layout.newest else frame.sort(ROW)
    kept = ordered.unique(list(layout.keys), keep="last", maintain_order=True)
    return kept.sort(*layout.keys)


def _with_search_key(layout: Layout, frame: pl.DataFrame) -> pl.DataFrame:
    if layout.name != "customers" or not {"name", "kana"} & set(frame.columns):
        return frame
    parts = [frame[name].to_list() if name in frame.columns else [None] * frame.height for name in ("name", "kana")]
    keys = [search_key(*names) for names in zip(*parts, strict=True)]
    return frame.with_columns(search_key=pl.Series(keys, dtype=pl.String))


def _rejected(batch: Batch, reasons: pl.DataFrame, kind: str) -> list[Rejected]:
    """The rows with these numbers as they came, with line and reason."""
    if reasons.is_empty():
        return []
    rows = reasons[ROW].to_list()
    lines = batch.lines.gather(rows).to_list()
    came = batch.frame[rows].drop(ID_COLUMN, REASON_COLUMN, strict=False)
    raw = came.select(cells.as_text(column).alias(column.name) for column in came)
    return [
        Rejected(line, kind, reason, _as_came(row))
        for line, reason, row in zip(lines, reasons["reason"].to_list(), raw.iter_rows(named=True), strict=True)
    ]


def _as_came(row: dict[str, Any]) -> dict[str, Any]:
    return {name: cell for name, cell in row.items() if cell is not None}
