"""Ties checked rows to what they point to: customers under One ID, and stub master rows where nothing is known."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from journey.intake.checking import ROW
from journey.intake.known import ERASED, MASTERS, Known
from journey.intake.layout import Layout

ERASED_VISITOR = "erased"  # stands where an identifier is required but its person was erased


@dataclass(frozen=True)
class Resolved:
    """``frame`` can be stored; ``dropped`` rows are of erased persons; ``lost`` point to a suggestion nobody made."""

    frame: pl.DataFrame
    stubs: int = 0
    dropped: int = 0
    lost: pl.DataFrame | None = None


def resolve(known: Known, layout: Layout, good: pl.DataFrame) -> Resolved:
    """Add ``customer_id``, hide the erased, and make stubs for unknown stores, products, clerks and customers."""
    good, lost = _tied_to_suggestion(known, layout, good)
    height = good.height
    good = _hide_erased(known, layout, good)
    stubs = _stubs(known, layout, good)
    if layout.keeps_reference:
        good = good.with_columns(customer_id=_customers(known, layout, good))
    return Resolved(good.drop("_store", strict=False), stubs, height - good.height, lost)


def _tied_to_suggestion(known: Known, layout: Layout, good: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    if layout.name != "outcomes":
        return good, None
    good = good.with_columns(_store=known.resolve("suggestions", good["suggestion_id"]))
    orphans = good.filter(pl.col("_store").is_null())
    if orphans.is_empty():
        return good, None
    reason = pl.format("suggestion_id '{}' is not known", pl.col("suggestion_id"))
    return good.filter(pl.col("_store").is_not_null()), orphans.select(ROW, reason=reason)


def _hide_erased(known: Known, layout: Layout, good: pl.DataFrame) -> pl.DataFrame:
    """Rows of erased persons: master data and links are dropped, facts stay without the person."""
    if not known.erasures:
        return good
    gone = pl.repeat(False, good.height, eager=True)
    for kind, values in _identifiers(layout, good):
        gone |= (known.resolve(kind, values) == ERASED).fill_null(False)
    if not gone.any():
        return good
    required = {column.stored for column in layout.columns if column.required}
    if layout.name == "customers" or "customer_ref" in required:
        return good.filter(~gone)
    blank = {"customer_ref", *layout.personal, *(name for name, _ in layout.identifiers)} & set(good.columns)
    empty = [
        pl.when(gone).then(pl.lit(ERASED_VISITOR) if name in required else None).otherwise(pl.col(name)).alias(name)
        for name in sorted(blank)
    ]
    return good.with_columns(empty)


def _identifiers(layout: Layout, good: pl.DataFrame) -> list[tuple[str, pl.Series]]:
    """Every kind of identifier in the rows, with its values."""
    pairs = [("customers", good[name]) for name in ("customer_ref",) if name in good.columns]
    if layout.name == "customers":
        pairs.append(("customers", good["customer_id"]))
    for name, kinds in layout.identifiers:
        if name in good.columns:
            pairs += [(kind, good[name]) for kind in kinds]
    if layout.name == "identities":
        for kind in good["kind"].unique().to_list():
            values = pl.select(pl.when(good["kind"] == kind).then(good["value"])).to_series()
            pairs.append((kind, values))
    return pairs


def _stubs(known: Known, layout: Layout, good: pl.DataFrame) -> int:
    made = 0
    store = next((name for name in ("store_id", "_store") if name in good.columns), None)
    for column in layout.columns:
        if not column.refers or column.stored not in good.columns:
            continue
        ids = good[column.stored]
        unknown = known.unknown(column.refers, ids)
        if unknown.is_empty():
            continue
        rows = pl.DataFrame({f"{column.refers[:-1]}_id": unknown})
        if column.refers in MASTERS:
            rows = rows.with_columns(name=pl.col(rows.columns[0]))
        if column.refers == "clerks":
            assert store is not None
            first = good.select(pl.col("clerk_id"), store_id=pl.col(store)).unique("clerk_id", keep="first")
            rows = rows.join(first, on="clerk_id", how="left")
        known.add_stubs(column.refers, rows)
        made += rows.height
    return made


def _customers(known: Known, layout: Layout, good: pl.DataFrame) -> pl.Series:
    """One ID per row: of the customer as delivered, else of the first identifier that is linked to somebody."""
    if "customer_ref" in good.columns:
        found = known.resolve("customers", good["customer_ref"])
        open_rows = good["customer_ref"].is_null()
    else:
        found = pl.repeat(None, good.height, dtype=pl.String, eager=True)
        open_rows = pl.repeat(True, good.height, eager=True)
    for name, kinds in layout.identifiers:
        if name not in good.columns:
            continue
        for kind in kinds:
            if not (open_rows & good[name].is_not_null()).any():
                break
            values = pl.select(pl.when(open_rows).then(good[name])).to_series()
            linked = known.resolve(kind, values)
            found = found.zip_with(linked.is_null(), linked)
            open_rows &= linked.is_null()
    return found.replace(ERASED, None)
