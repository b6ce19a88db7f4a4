"""Rows of a query as a polars frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from sqlalchemy import Select
from sqlalchemy.orm import Session

Schema = Mapping[str, Any]

TEXT, WHOLE, REAL, FLAG = pl.String, pl.Int64, pl.Float64, pl.Boolean


def query_frame(session: Session, statement: Select[*tuple[Any, ...]], schema: Schema) -> pl.DataFrame:
    """The rows of a statement whose columns come in the order of ``schema`` (name → polars type).

    Columns are filled one by one from batches, so that only one batch of Python objects is alive at a time.
    """
    names, types = list(schema), list(schema.values())
    batches = []
    result = session.execute(statement.execution_options(yield_per=50_000))
    for rows in result.partitions():
        columns = zip(*rows, strict=True)
        batches.append(
            pl.DataFrame(
                [
                    pl.Series(name, _plain(values, kind), kind)
                    for name, kind, values in zip(names, types, columns, strict=True)
                ]
            )
        )
    return pl.concat(batches) if batches else pl.DataFrame(schema=dict(schema))


def _plain(values: tuple[Any, ...], kind: Any) -> list[Any] | tuple[Any, ...]:
    # PostgreSQL sums BIGINT into NUMERIC, which arrives as Decimal; polars wants the plain kind.
    if kind is pl.Float64:
        return [None if v is None else float(v) for v in values]
    if kind is pl.Int64:
        return [None if v is None else int(v) for v in values]
    return values
