"""Pain and gain points: which customers fare worse or better than the rest, where, and what they complain of.

Question: crossing segments of customers (tier, channel, area, tenure, frequency, visiting hours, store) with
touchpoints and with themes of comments, which pairs stand out? Estimate: the segment's mean less that of everybody
else, with its interval over persons. Many pairs are looked at, so only those are shown that survive the control of
the false discovery rate. What would make it wrong: segments hang together (members of a tier also come at certain
hours); a pair is a place to look, not a cause.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from scipy import stats
from sqlalchemy import BigInteger, Float, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.answers import answer_sheets
from analytics.behaviour import customer_behaviour
from analytics.clustered_means import clustered_mean
from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import Period
from analytics.rates import benjamini_hochberg, difference_of_rates
from analytics.voice import read_comments
from journey.customers import Customer
from journey.database import from_micros
from journey.purchases import PosLine
from journey.stores import DEFAULT_TIMEZONE, Store

LEAST_PEOPLE = 20
"""Persons that a segment and the rest each need for a comparison."""

_NEW_DAYS = 90
_HOUR_MICROS = 3_600_000_000


def standing_out(
    measured: pl.DataFrame, segments: pl.DataFrame, *, most_q: float = 0.05
) -> tuple[list[dict[str, Any]], int]:
    """Pairs of segment and measure that stand out, the surest first, and how many pairs were looked at.

    measured: measure, person, value, less_is_better. segments: person, segment, member (what the person is in it).
    Rows: segment, member, measure, kind (pain or gain), mean, rest, difference, low, high, n, people, q_value. Scores
    by Welch's test, what less is better of (complaints) by Fisher's exact test, over persons; Benjamini–Hochberg over
    all pairs looked at.
    """
    rows = []
    for (measure,), values in measured.sort("measure").group_by("measure", maintain_order=True):
        better = -1.0 if values["less_is_better"][0] else 1.0
        placed = values.join(segments, on="person")
        for (segment,), part in placed.sort("segment").group_by("segment", maintain_order=True):
            for member in sorted(part["member"].unique()):
                here, rest = part.filter(pl.col("member") == member), part.filter(pl.col("member") != member)
                row = _compared_shares(here, rest) if better < 0 else _compared_scores(here, rest)
                if row is not None:
                    kind = "gain" if better * row["difference"] > 0 else "pain"
                    rows.append({"segment": segment, "member": member, "measure": measure, "kind": kind} | row)
    q_values = benjamini_hochberg(np.array([row.pop("_p") for row in rows]))
    kept = [row | {"q_value": float(q)} for row, q in zip(rows, q_values, strict=True) if q <= most_q]
    return sorted(kept, key=lambda row: (row["q_value"], row["segment"], row["member"], row["measure"])), len(rows)


def _compared_scores(here: pl.DataFrame, rest: pl.DataFrame) -> dict[str, Any] | None:
    unbounded = (-np.inf, np.inf)
    means = [clustered_mean(s["value"].to_numpy(), s["person"].to_numpy(), bounds=unbounded) for s in (here, rest)]
    inside, outside = means
    if inside is None or outside is None or min(inside.people, outside.people) < LEAST_PEOPLE:
        return None
    if not inside.error or not outside.error:
        return None
    error = float(np.hypot(inside.error, outside.error))
    difference = inside.value - outside.value
    half = float(stats.norm.ppf(0.975)) * error
    return {
        "mean": inside.value,
        "rest": outside.value,
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "n": inside.n,
        "people": inside.people,
        "_p": float(2 * stats.norm.sf(abs(difference) / error)),
    }


def _compared_shares(here: pl.DataFrame, rest: pl.DataFrame) -> dict[str, Any] | None:
    """Shares of persons who complained; exact, as a share of none out of a few has no spread to judge it by."""
    sides = [side.group_by("person").agg(pl.col("value").max()) for side in (here, rest)]
    if min(side.height for side in sides) < LEAST_PEOPLE:
        return None
    (x, n), (y, m) = ((int(side["value"].sum()), side.height) for side in sides)
    gap = difference_of_rates(x, n, y, m)
    return {
        "mean": x / n,
        "rest": y / m,
        "difference": gap.value,
        "low": gap.low,
        "high": gap.high,
        "n": here.height,
        "people": n,
        "_p": float(stats.fisher_exact(np.array([[x, n - x], [y, m - y]])).pvalue),
    }


def measures_of(sheets: pl.DataFrame) -> pl.DataFrame:
    """What to compare: csat:TOUCHPOINT (0–100) per answer, complaint:THEME (0 or 1) per comment."""
    scored = sheets.filter(
        (pl.col("question") == "touchpoint") & pl.col("score").is_not_null() & (pl.col("touchpoint") != "")
    )
    csat = scored.select(
        (pl.lit("csat:") + pl.col("touchpoint")).alias("measure"),
        "person",
        pl.col("score").alias("value"),
        pl.lit(False).alias("less_is_better"),
    )
    written = sheets.filter(pl.col("comment").str.strip_chars().fill_null("") != "")
    written = written.unique(["response_id", "comment"], maintain_order=True)
    read = pl.concat([written.select("person"), read_comments(written["comment"].to_list())], how="horizontal")
    complaints = [
        read.select(
            pl.lit(f"complaint:{theme}").alias("measure"),
            "person",
            (pl.col("themes").list.contains(theme) & (pl.col("label") == "negative")).cast(pl.Float64).alias("value"),
            pl.lit(True).alias("less_is_better"),
        )
        for theme in sorted(read["themes"].explode().drop_nulls().unique())
    ]
    return pl.concat([csat, *complaints])


def customer_segments(session: Session, period: Period, timezone: str = DEFAULT_TIMEZONE) -> pl.DataFrame:
    """Person, segment, member of who bought: tier, channel, area, tenure, frequency, visiting hours, distance.

    Distance is told by areas: whether a customer lives in the area of the store where they buy most.
    """
    bought = customer_behaviour(session, period)
    if bought.is_empty():
        return pl.DataFrame(schema={"person": pl.String, "segment": pl.String, "member": pl.String})
    areas = query_frame(session, select(Customer.customer_id, Customer.area), {"customer_id": TEXT, "area": TEXT})
    table = bought.join(areas, on="customer_id", how="left").join(
        _visiting_hours(session, period, timezone), on="customer_id", how="left"
    )
    table = table.join(_home_stores(session, period), on="customer_id", how="left")
    hour, days = pl.col("hour"), pl.col("purchase_days")
    newest = int(table["last_day"].to_numpy().max())
    table = table.with_columns(
        tenure=pl.when(pl.col("first_day") > newest - _NEW_DAYS).then(pl.lit("new")).otherwise(pl.lit("longer")),
        frequency=pl.when(days == 1).then(pl.lit("once")).when(days < 5).then(pl.lit("2–4")).otherwise(pl.lit("5+")),
        hours=pl.when(hour < 12).then(pl.lit("morning")).when(hour < 17).then(pl.lit("afternoon"))
        .when(hour.is_not_null()).then(pl.lit("evening")),
        distance=pl.when(pl.col("area") == pl.col("store_area")).then(pl.lit("same_area"))
        .when(pl.col("area").is_not_null() & pl.col("store_area").is_not_null()).then(pl.lit("other_area")),
    )  # fmt: skip
    names = ["tier", "channel", "area", "tenure", "frequency", "hours", "distance"]
    long = table.unpivot(names, index="person", variable_name="segment", value_name="member")
    return long.filter(pl.col("member").is_not_null())


def _home_stores(session: Session, period: Period) -> pl.DataFrame:
    """customer_id and the area of the store where each buys most over the counter."""
    counter = PosLine.channel.is_(None) | (PosLine.channel == "store")
    statement = (
        select(PosLine.customer_id, PosLine.store_id, Store.area, func.count())
        .join(Store, Store.store_id == PosLine.store_id)
        .where(period.covers(PosLine.sold_at), PosLine.customer_id.is_not(None), counter)
        .group_by(PosLine.customer_id, PosLine.store_id, Store.area)
    )
    schema = {"customer_id": TEXT, "store_id": TEXT, "store_area": TEXT, "lines": WHOLE}
    frame = query_frame(session, statement, schema).sort("lines", "store_id", descending=[True, False])
    return frame.unique("customer_id", keep="first", maintain_order=True).select("customer_id", "store_area")


def _visiting_hours(session: Session, period: Period, timezone: str) -> pl.DataFrame:
    """The mean hour of day at which each customer buys over the counter, on the clock of the chain."""
    sold = type_coerce(PosLine.sold_at, BigInteger)
    last = session.scalar(select(func.max(sold)).where(period.covers(PosLine.sold_at)))
    offset = from_micros(last or 0).astimezone(ZoneInfo(timezone)).utcoffset()
    assert offset is not None
    hour = (sold + int(offset.total_seconds()) * 1_000_000) // _HOUR_MICROS % 24
    counter = PosLine.channel.is_(None) | (PosLine.channel == "store")
    statement = (
        select(PosLine.customer_id, func.avg(cast(hour, Float)))
        .where(period.covers(PosLine.sold_at), PosLine.customer_id.is_not(None), counter)
        .group_by(PosLine.customer_id)
    )
    return query_frame(session, statement, {"customer_id": TEXT, "hour": REAL})


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
) -> dict[str, Any]:
    """Pain and gain points: keys points (see standing_out), looks (pairs compared), notes."""
    period = Period.of(start, end, timezone)
    sheets = answer_sheets(session, period, store=store)
    stores = sheets.filter(pl.col("store_id").is_not_null()).group_by("person").agg(pl.col("store_id").mode().min())
    of_store = stores.select("person", pl.lit("store").alias("segment"), pl.col("store_id").alias("member"))
    segments = pl.concat([customer_segments(session, period, timezone), of_store])
    points, looks = standing_out(measures_of(sheets), segments)
    notes = []
    if not looks:
        notes.append(f"No segment has {LEAST_PEOPLE} persons with answers or comments to compare.")
    elif not points:
        notes.append(f"Of {looks} pairs of segment and touchpoint or theme none stands out beyond chance.")
    return {"points": points, "looks": looks, "notes": notes}
