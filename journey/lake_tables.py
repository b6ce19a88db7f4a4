"""The tables of the lake: what of the record they hold, under which types, and how a changed day is noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from journey.database import MONEY_SCALE
from journey.fact_days import DAY_SQL, MICROSECONDS

INSTANT = pl.Datetime("us", "UTC")
MONEY = pl.Float64()
TEXT, NUMBER, COUNT, DATE, YES_NO = pl.String(), pl.Float64(), pl.Int32(), pl.Date(), pl.Boolean()
HALF_A_DAY = 15 * 3_600_000_000  # no zone is further from UTC than this


@dataclass(frozen=True)
class LakeTable:
    """One table: ``columns`` with their types; facts are filed by day, master tables in one file.

    Attributes:
        time: the column by whose day facts are filed; empty for master tables.
        money: columns that the database keeps in ten-thousandths.
        source: what stands after FROM, where it is not the table itself.
        where: which rows the lake holds.
        signature: aggregates that change whenever rows of a day do, for tables that others write to as well.
        local_day: whether the lake adds the local day (pos_lines has its own).
    """

    name: str
    columns: dict[str, Any]
    time: str = ""
    money: tuple[str, ...] = ()
    source: str = ""
    where: str = "true"
    signature: str = ""
    local_day: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """Names and types of what is scanned."""
        return {**self.columns, "local_day": COUNT} if self.local_day else dict(self.columns)

    def query(self, first: int, last: int) -> str:
        """The rows of the days from ``first`` to ``last`` (all of a master table)."""
        chosen = ", ".join(f't."{name}"' for name in self.columns)
        conditions = [self.where]
        if self.time:
            start, end = first * MICROSECONDS, (last + 1) * MICROSECONDS
            if self.name == "pos_lines":
                # the index on (store_id, sold_at) finds them; the local day may begin and end apart from UTC's
                conditions.append(f"t.local_day BETWEEN {first} AND {last}")
                conditions.append("t.store_id IN (SELECT store_id FROM stores)")
                start, end = start - HALF_A_DAY, end + HALF_A_DAY
            conditions.append(f"t.{self.time} >= {start} AND t.{self.time} < {end}")
        return f"SELECT {chosen} FROM {self.source or self.name} t WHERE {' AND '.join(conditions)}"

    def signatures(self) -> str:
        """SQL for day and signature of every day; of a master table, for its signature alone."""
        if not self.time:
            return f"SELECT {self.signature} FROM {self.name}"
        return f"SELECT {DAY_SQL[self.name]}, {self.signature} FROM {self.name} GROUP BY 1"


POS_LINES = LakeTable(
    "pos_lines",
    {
        "receipt_id": TEXT, "line_no": COUNT, "store_id": TEXT, "sold_at": INSTANT, "local_day": COUNT,
        "channel": TEXT, "customer_id": TEXT, "product_id": TEXT, "quantity": NUMBER, "amount": MONEY,
        "discount": MONEY, "coupon_id": TEXT, "clerk_id": TEXT,
    },
    time="sold_at",
    money=("amount", "discount"),
)  # fmt: skip
WEB_EVENTS = LakeTable(
    "web_events",
    {
        "event_id": TEXT, "occurred_at": INSTANT, "visitor_id": TEXT, "session_id": TEXT, "customer_id": TEXT,
        "kind": TEXT, "product_id": TEXT, "content_id": TEXT, "page": TEXT, "query": TEXT, "referrer": TEXT,
    },
    time="occurred_at",
    local_day=True,
)  # fmt: skip
SUGGESTIONS = LakeTable(
    "suggestions",
    {
        "suggestion_id": TEXT, "set_id": TEXT, "customer_id": TEXT, "store_id": TEXT, "clerk_id": TEXT,
        "shown_at": INSTANT, "product_id": TEXT, "rank": COUNT, "score": NUMBER, "probability": NUMBER,
        "propensity": NUMBER, "model": TEXT, "policy": TEXT, "arm": TEXT, "kind": TEXT, "source": TEXT,
    },
    time="shown_at",
    signature="count(*)",
    local_day=True,
)  # fmt: skip
OUTCOMES = LakeTable(
    "outcomes",
    {
        "outcome_id": TEXT, "suggestion_id": TEXT, "clerk_id": TEXT, "occurred_at": INSTANT, "result": TEXT,
        "why": TEXT,
    },
    time="occurred_at",
    where='t."current"',
    signature='count(*), count(retracted_at), sum(CASE WHEN "current" THEN 1 ELSE 0 END)',
)  # fmt: skip
MASTERS = (
    LakeTable(
        "products",
        {
            "product_id": TEXT, "name": TEXT, "category": TEXT, "brand": TEXT, "price": MONEY, "released_on": DATE,
            "discontinued_on": DATE, "attributes": TEXT, "stub": YES_NO,
        },
        money=("price",),
    ),
    LakeTable(
        "customers",
        {
            "customer_id": TEXT, "joined_on": DATE, "birth_year": COUNT, "gender": TEXT, "area": TEXT, "tier": TEXT,
            "consent_profiling": YES_NO, "consent_contact": YES_NO, "stub": YES_NO,
        },
        where="t.merged_into IS NULL AND t.erased_at IS NULL",
        signature="count(*), count(merged_into), count(erased_at), "
        "sum(CASE WHEN consent_profiling THEN 1 ELSE 0 END), sum(CASE WHEN consent_contact THEN 1 ELSE 0 END)",
    ),
    LakeTable(
        "stores", {"store_id": TEXT, "name": TEXT, "area": TEXT, "timezone": TEXT, "opened_on": DATE, "stub": YES_NO}
    ),
    LakeTable(
        "stock",
        {"store_id": TEXT, "product_id": TEXT, "quantity": NUMBER, "as_of": INSTANT},
        signature="count(*), max(as_of), sum(quantity)",
    ),
    LakeTable(
        "coupons",
        {
            "coupon_id": TEXT, "name": TEXT, "kind": TEXT, "value": NUMBER, "valid_from": INSTANT,
            "valid_until": INSTANT, "product_id": TEXT, "category": TEXT, "channels": TEXT,
        },
        money=("value",),
    ),
)  # fmt: skip
FACTS = (POS_LINES, WEB_EVENTS, SUGGESTIONS, OUTCOMES)
TABLES = {table.name: table for table in (*FACTS, *MASTERS)}
SCALE = float(MONEY_SCALE)
