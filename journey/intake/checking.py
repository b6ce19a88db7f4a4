"""Checks a batch of rows against its layout: what can be stored, and what is kept out for which reason."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from journey.intake import cells
from journey.intake.layout import Column, Kind, Layout
from journey.intake.times import Zones, local_days

ROW = "n"  # the row's place in its batch
SHOWN = 60  # characters of a bad cell that a reason quotes


@dataclass(frozen=True)
class Checked:
    """``good`` has the stored columns and ``n``; ``bad`` has ``n`` and ``reason``."""

    good: pl.DataFrame
    bad: pl.DataFrame


@dataclass(frozen=True)
class _Fault:
    """Rows that break one rule; ``cells`` are quoted before ``why``, where there are any."""

    rows: pl.Series
    name: str
    why: str
    cells: pl.Series | None = None

    def sentences(self) -> pl.DataFrame:
        where = self.rows.arg_true()
        if self.cells is None:
            text = pl.repeat(f"{self.name} {self.why}", len(where), eager=True, dtype=pl.String)
        else:
            quoted = (
                cells.as_text(self.cells.gather(where)).str.slice(0, SHOWN).str.replace_all("\x00", "␀").fill_null("")
            )
            text = pl.select(pl.format(f"{self.name} '{{}}' {self.why}", quoted)).to_series()
        return pl.DataFrame({ROW: where.cast(pl.Int64), "reason": text})


def check(layout: Layout, frame: pl.DataFrame, zones: Zones) -> Checked:
    """Read every cell of a batch and judge every row.

    Args:
        layout: the table.
        frame: the batch as it came, columns of any type; unknown columns are ignored.
        zones: the zones of the chain and its stores, for times without an offset.
    """
    stored: dict[str, pl.Series] = {}
    faults: list[_Fault] = []
    zone = _zone(layout, frame, zones)
    for column in layout.columns:
        if column.name in frame.columns:
            values, found = _column(column, frame[column.name], zone)
            faults += found
        elif column.default is not None:
            values = pl.repeat(column.default, frame.height, dtype=pl.String, eager=True)
        else:
            continue
        stored[column.stored] = values.alias(column.stored)
    faults += _misordered(layout, stored)
    if layout.name == "pos_lines":
        stored["local_day"] = local_days(stored["sold_at"], zone).alias("local_day")
    rows = pl.int_range(frame.height, dtype=pl.Int64, eager=True).alias(ROW)
    read = pl.DataFrame([rows, *stored.values()])
    if not faults:
        return Checked(read, pl.DataFrame(schema={ROW: pl.Int64, "reason": pl.String}))
    bad = pl.concat([fault.sentences() for fault in faults])
    bad = bad.group_by(ROW, maintain_order=True).agg(pl.col("reason").str.join("; ")).sort(ROW)
    return Checked(read.join(bad, on=ROW, how="anti", maintain_order="left"), bad)


def _zone(layout: Layout, frame: pl.DataFrame, zones: Zones) -> pl.Series | str:
    has_store = "store_id" in layout.by_name and "store_id" in frame.columns and layout.name != "clerks"
    return zones.of(cells.as_text(frame["store_id"]) if has_store else None, frame.height)


def _column(column: Column, given: pl.Series, zone: pl.Series | str) -> tuple[pl.Series, list[_Fault]]:
    read = cells.read(column, given, zone)
    values, faults = read.values, []
    if read.bad is not None:
        bad = read.bad.fill_null(False)
        if bad.any():
            faults.append(_Fault(bad, column.name, read.why, given))
    faults += [_Fault(rows.fill_null(False), column.name, why, given) for rows, why in read.forbidden]
    if column.default is not None:
        values = values.fill_null(column.default)
    if column.required and values.null_count():
        missing = values.is_null()
        if read.bad is not None:
            missing &= ~read.bad.fill_null(False)
        if missing.any():
            faults.append(_Fault(missing, column.name, "is missing"))
    if column.key and column.kind == Kind.TEXT and (values.str.len_chars() > 256).any():
        faults.append(_Fault(values.str.len_chars() > 256, column.name, "is longer than 256 characters"))
    return values, faults


def _misordered(layout: Layout, stored: dict[str, pl.Series]) -> list[_Fault]:
    faults = []
    for first, second in layout.ordered:
        if first in stored and second in stored:
            wrong = (stored[second] < stored[first]).fill_null(False)
            if wrong.any():
                faults.append(_Fault(wrong, second, f"lies below {first}"))
    return faults
