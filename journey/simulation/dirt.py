"""Dirty rows, as every real delivery has some; how many of which kind goes to ``truth/dirty.csv``.

``expect`` says what an importer should do: quarantine, conflict (the key exists with other content), unchanged (the
same row twice) or stub (imported with a stub master row).
"""

from __future__ import annotations

import numpy as np
import polars as pl

Report = list[dict[str, object]]


def _some(height: int, share: float, rng: np.random.Generator) -> np.ndarray:
    count = round(height * share)
    if share > 0 and height >= 200:
        count = max(count, 1)
    return np.sort(rng.choice(height, min(count, height), replace=False))


def _note(report: Report, table: str, kind: str, expect: str, rows: int, distinct: int | None = None) -> None:
    report.append({"table": table, "kind": kind, "expect": expect, "rows": rows, "distinct_ids": distinct})


def spoil(
    tables: dict[str, pl.DataFrame], share: float, rng: np.random.Generator
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Adds dirty copies to the tables (times already instants or text); ``share`` is per table, split over its kinds.

    Good rows are never touched: what is dirty is always an additional row under a key of its own, apart from
    duplicates, whose point is the key.
    """
    report: Report = []
    out = dict(tables)
    if share <= 0:
        return out, pl.DataFrame(
            report,
            schema={
                "table": pl.String,
                "kind": pl.String,
                "expect": pl.String,
                "rows": pl.Int64,
                "distinct_ids": pl.Int64,
            },
        )

    def add(
        name: str,
        kind: str,
        expect: str,
        part: float,
        key: str | None,
        change: dict[str, pl.Expr],
        distinct: str | None = None,
    ) -> None:
        clean = tables[name]
        picked = _some(clean.height, share * part, rng)
        if not len(picked):
            return
        rows = clean[picked]
        if key is not None:
            mark = f"D{len(report):02d}"
            rows = rows.with_columns(
                pl.concat_str(pl.lit(mark), pl.int_range(pl.len()).cast(pl.String).str.zfill(6)).alias(key)
            )
        rows = rows.with_columns(**{c: e.cast(clean.schema[c]) if c != key else e for c, e in change.items()})
        out[name] = pl.concat([out[name], rows])
        _note(report, name, kind, expect, rows.height, rows[distinct].n_unique() if distinct else None)

    nothing = pl.lit(None)
    add("pos_lines", "no date", "quarantine", 0.15, "receipt_id", {"sold_at": nothing})
    add("pos_lines", "zero quantity", "quarantine", 0.25, "receipt_id", {"quantity": pl.lit(0)})
    add("pos_lines", "no product", "quarantine", 0.20, "receipt_id", {"product_id": nothing})
    unknown = pl.concat_str(pl.lit("490000000"), (pl.int_range(pl.len()) % 7 + 1).cast(pl.String).str.zfill(4))
    add("pos_lines", "unknown product", "stub", 0.15, "receipt_id", {"product_id": unknown}, "product_id")
    add(
        "pos_lines",
        "receipt line again with other content",
        "conflict",
        0.15,
        None,
        {"quantity": pl.col("quantity") * 2, "amount": pl.col("amount") + 100},
    )
    add("pos_lines", "receipt line twice", "unchanged", 0.10, None, {})
    add("web_events", "no date", "quarantine", 0.30, "event_id", {"occurred_at": nothing})
    add("web_events", "unknown kind", "quarantine", 0.40, "event_id", {"kind": pl.lit("hover")})
    add("web_events", "no visitor", "quarantine", 0.30, "event_id", {"visitor_id": nothing})
    add("suggestions", "no product", "quarantine", 0.5, "suggestion_id", {"product_id": nothing})
    add("outcomes", "unknown result", "quarantine", 0.5, "outcome_id", {"result": pl.lit("maybe")})
    add("answers", "bad date", "quarantine", 0.5, "response_id", {"answered_at": pl.lit("2026-02-30T25:61:00+09:00")})
    add("answers", "score is a word", "quarantine", 0.5, "response_id", {"score": pl.lit("とても良い")})
    add("contacts", "bad date", "quarantine", 1.0, "contact_id", {"started_at": pl.lit("昨日")})
    add("identities", "unknown kind", "quarantine", 0.5, "value", {"kind": pl.lit("fax")})
    add("customers", "bad date", "quarantine", 1.0, "customer_id", {"joined_on": pl.lit("令和八年")})
    add("products", "price is a word", "quarantine", 1.0, "product_id", {"price": pl.lit("時価")})
    frame = pl.DataFrame(
        report,
        schema={"table": pl.String, "kind": pl.String, "expect": pl.String, "rows": pl.Int64, "distinct_ids": pl.Int64},
    )
    return out, frame
