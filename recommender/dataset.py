"""What was known at one moment: purchases, web events and master data as arrays over sorted id tables.

`known_before` is the only place where time cuts the record; everything downstream sees its result only.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from recommender.acceptance import Answered
from recommender.baskets import BasketTable, Ints, Longs, gather
from recommender.columns import (
    ATTRIBUTES,
    BRAND,
    CATEGORY,
    CUSTOMER,
    KIND,
    NAME,
    OCCURRED_AT,
    PRICE,
    PRODUCT,
    QUANTITY,
    RECEIPT,
    RELEASED_ON,
    SESSION,
    SOLD_AT,
    STORE,
    TIMEZONE,
    VISITOR,
)

EPOCH_DAY = date(1970, 1, 1)
NEW_RELEASE_DAYS = 120
INTEREST_KINDS = ("view", "cart", "favorite", "search", "purchase", "recommend_click")
_MOMENT = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class WebTable:
    """Web events on products, sorted by session and time: indices, `time` in microseconds UTC.

    `customer` is -1 for visitors nobody could be linked to; `kind` indexes INTEREST_KINDS.
    """

    customer: Ints
    session: Ints
    product: Ints
    time: Longs
    kind: Ints

    def __len__(self) -> int:
        return len(self.customer)


@dataclass(frozen=True)
class Dataset:
    """Everything known before `as_of`. Indices point into the sorted id lists."""

    as_of: datetime
    product_ids: list[str]
    customer_ids: list[str]
    store_ids: list[str]
    carded: BasketTable
    uncarded: BasketTable
    web: WebTable
    products: pl.DataFrame
    """One row per product index: product_id, name, category, brand, attributes, price, released_day (null unknown)."""
    customers: pl.DataFrame
    """One row per customer index: customer_id and whatever master columns came."""
    rows: int
    """Till lines and web events read."""
    answered: Answered = field(default_factory=Answered)
    """What came of proposals."""
    moments: Longs | None = None
    """When each customer is asked about, in microseconds UTC; None: all as of the cut-off."""

    @classmethod
    def from_frames(
        cls,
        lines: pl.DataFrame | None = None,
        events: pl.DataFrame | None = None,
        products: pl.DataFrame | None = None,
        customers: pl.DataFrame | None = None,
        stores: pl.DataFrame | None = None,
        as_of: datetime | None = None,
        timezone: str = "Asia/Tokyo",
    ) -> "Dataset":
        """The record as known before `as_of` (aware; None: everything), from frames with the extract's columns.

        Times are aware; a store without a timezone has `timezone`. Raises ValueError when a required column is
        missing or `as_of` is naive.
        """
        lines = _with_columns(lines, {RECEIPT: pl.String, STORE: pl.String, SOLD_AT: _MOMENT, CUSTOMER: pl.String,
                                      PRODUCT: pl.String, QUANTITY: pl.Float64}, optional={CUSTOMER})  # fmt: skip
        events = _with_columns(events, {OCCURRED_AT: _MOMENT, VISITOR: pl.String, SESSION: pl.String,
                                        CUSTOMER: pl.String, KIND: pl.String, PRODUCT: pl.String},
                               optional={VISITOR, SESSION, CUSTOMER, PRODUCT})  # fmt: skip
        if as_of is None:
            as_of = _after_last(lines[SOLD_AT], events[OCCURRED_AT])
        if as_of.tzinfo is None:
            raise ValueError("as_of: the cut-off needs a timezone")
        lines = known_before(lines, SOLD_AT, as_of)
        events = known_before(events, OCCURRED_AT, as_of)
        rows = len(lines) + len(events)
        lines = lines.filter(pl.col(QUANTITY) > 0)
        events = events.filter(pl.col(PRODUCT).is_not_null() & pl.col(KIND).is_in(INTEREST_KINDS))

        product_table = _product_master(products, as_of, [lines[PRODUCT], events[PRODUCT]])
        product_ids = product_table[PRODUCT]
        customer_table = _master(customers, CUSTOMER, [lines[CUSTOMER], events[CUSTOMER]])
        customer_ids = customer_table[CUSTOMER]
        store_ids = lines[STORE].drop_nulls().unique().sort()
        days = local_days(lines, stores, timezone)
        coded = _code_lines(lines, product_ids, customer_ids, store_ids, days)
        return cls(
            as_of=as_of.astimezone(UTC),
            product_ids=product_ids.to_list(),
            customer_ids=customer_ids.to_list(),
            store_ids=store_ids.to_list(),
            carded=gather(coded.filter(pl.col("customer") >= 0).with_columns(basket=pl.lit(0))),
            uncarded=gather(
                coded.filter(pl.col("customer") < 0).with_columns(basket=pl.struct("store", RECEIPT).rank("dense"))
            ),
            web=_code_events(events, product_ids, customer_ids),
            products=product_table,
            customers=customer_table,
            rows=rows,
        )

    @property
    def as_of_day(self) -> int:
        """The UTC day of the cut-off, in days since 1970-01-01."""
        return (self.as_of.date() - EPOCH_DAY).days

    @property
    def basket_counts(self) -> Longs:
        """Number of baskets of each customer."""
        return np.bincount(self.carded.customer, minlength=len(self.customer_ids)).astype(np.int64)


def known_before(frame: pl.DataFrame, column: str, as_of: datetime) -> pl.DataFrame:
    """The rows of `frame` whose time in `column` lies before `as_of`."""
    return frame.filter(pl.col(column) < pl.lit(as_of.astimezone(UTC)).cast(_MOMENT))


def _with_columns(
    frame: pl.DataFrame | None, schema: dict[str, pl.DataType | type[pl.DataType]], optional: set[str]
) -> pl.DataFrame:
    if frame is None:
        return pl.DataFrame(schema=schema)
    missing = [name for name in schema if name not in frame.columns and name not in optional]
    if missing:
        raise ValueError(f"columns missing: {', '.join(missing)}")
    for name, kind in schema.items():
        if kind == _MOMENT and getattr(frame.schema[name], "time_zone", None) is None:
            raise ValueError(f"{name}: times need a timezone, found {frame.schema[name]}")
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        if kind != _MOMENT
        else pl.col(name).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
        for name, kind in schema.items()
    )


def _after_last(*times: pl.Series) -> datetime:
    known = [moment for series in times if isinstance(moment := series.max(), datetime)]
    last = max(known, default=datetime(1970, 1, 1, tzinfo=UTC))
    return datetime.fromtimestamp(last.timestamp() + 1, UTC)


def _master(frame: pl.DataFrame | None, key: str, mentioned: list[pl.Series]) -> pl.DataFrame:
    if frame is not None:
        mentioned = [*mentioned, frame[key].cast(pl.String)]
    ids = pl.concat([series.alias(key) for series in mentioned]).drop_nulls().unique().sort()
    table = ids.to_frame()
    if frame is None:
        return table
    return table.join(
        frame.with_columns(pl.col(key).cast(pl.String)).unique(key), on=key, how="left", maintain_order="left"
    )


def _product_master(frame: pl.DataFrame | None, as_of: datetime, mentioned: list[pl.Series]) -> pl.DataFrame:
    """Products somebody bought or looked at, and those released lately that nobody has touched yet."""
    texts = [name for name in (NAME, CATEGORY, BRAND, ATTRIBUTES) if frame is not None and name in frame.columns]
    if frame is not None:
        released = pl.lit(None, pl.Int32)
        if RELEASED_ON in frame.columns:
            written = pl.col(RELEASED_ON)
            text = frame.schema[RELEASED_ON] == pl.String
            released = (written.str.to_date(strict=False) if text else written.cast(pl.Date)).cast(pl.Int32)
        price = pl.col(PRICE).cast(pl.Float64, strict=False) if PRICE in frame.columns else pl.lit(None, pl.Float64)
        frame = frame.select(
            pl.col(PRODUCT).cast(pl.String), *(pl.col(name).cast(pl.String) for name in texts), price.alias(PRICE),
            released.alias("released_day"),
        )  # fmt: skip
        today = (as_of.date() - EPOCH_DAY).days
        touched = pl.concat([series.alias(PRODUCT) for series in mentioned]).drop_nulls().unique()
        fresh = pl.col("released_day").is_between(today - NEW_RELEASE_DAYS, today)
        frame = frame.filter(fresh.fill_null(False) | pl.col(PRODUCT).is_in(touched.implode()))
    table = _master(frame, PRODUCT, mentioned)
    absent = {NAME: pl.String, CATEGORY: pl.String, BRAND: pl.String, ATTRIBUTES: pl.String, PRICE: pl.Float64,
              "released_day": pl.Int32}  # fmt: skip
    return table.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in absent.items() if name not in table.columns
    )


def _code(series: pl.Series, ids: pl.Series) -> pl.Series:
    """The position of each value in the sorted `ids`, -1 for null."""
    table = ids.to_frame("id").with_row_index("code")
    codes = series.to_frame("id").join(table, on="id", how="left", maintain_order="left")["code"]
    return codes.cast(pl.Int32).fill_null(-1)


def local_days(lines: pl.DataFrame, stores: pl.DataFrame | None, timezone: str) -> pl.Series:
    """The local day of each line in days since 1970-01-01; a store without a timezone has `timezone`."""
    zones: dict[str, str | None] = {}
    if stores is not None and TIMEZONE in stores.columns:
        zones = dict(stores.select(STORE, TIMEZONE).iter_rows())
    named = {store: zone or timezone for store, zone in zones.items()}
    zone = lines[STORE].cast(pl.String).replace_strict(named, default=timezone, return_dtype=pl.String)
    if not len(lines):
        return pl.Series("day", [], dtype=pl.Int32)
    day = pl.lit(None, pl.Int32)
    for name in zone.unique().to_list():
        local = pl.col(SOLD_AT).dt.convert_time_zone(name).dt.date().cast(pl.Int32)
        day = pl.when(pl.col("zone") == name).then(local).otherwise(day)
    return lines.select(SOLD_AT, zone=zone).select(day=day)["day"]


def _code_lines(
    lines: pl.DataFrame, product_ids: pl.Series, customer_ids: pl.Series, store_ids: pl.Series, days: pl.Series
) -> pl.DataFrame:
    return lines.select(
        RECEIPT,
        day=days,
        time=pl.col(SOLD_AT).cast(pl.Int64),
        customer=_code(lines[CUSTOMER], customer_ids),
        product=_code(lines[PRODUCT], product_ids),
        store=_code(lines[STORE], store_ids),
        quantity=pl.col(QUANTITY),
    )


def _code_events(events: pl.DataFrame, product_ids: pl.Series, customer_ids: pl.Series) -> WebTable:
    session = pl.coalesce(pl.col(SESSION), pl.col(VISITOR), pl.col(CUSTOMER), pl.lit(""))
    coded = events.select(
        customer=_code(events[CUSTOMER], customer_ids),
        session=session.rank("dense").cast(pl.Int32),
        product=_code(events[PRODUCT], product_ids),
        time=pl.col(OCCURRED_AT).cast(pl.Int64),
        kind=pl.col(KIND).replace_strict(INTEREST_KINDS, range(len(INTEREST_KINDS)), return_dtype=pl.Int32),
    ).sort("session", "time", "product")
    return WebTable(*(coded[name].to_numpy() for name in ("customer", "session", "product", "time", "kind")))
