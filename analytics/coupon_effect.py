"""What coupons do: how many are redeemed, granted where and used where, and what customers spend because of one.

Question: would these customers have bought as much without the coupon? Whoever redeems wanted to buy anyway, so
redeemers say nothing; the comparison is between everybody who was granted it and customers alike who were not: those
who had bought in the 90 days before, with as much spent in the time before the last fortnight. The effect is the
difference in the change of spend from the fortnight before to the one after, weighted to the granted. The fortnight
before is not what they are matched by: who spent little in it by chance spends more after it in any case, and heavy
buyers, who are granted more coupons, most of all. What would make it wrong: a coupon given for a reason that also
moves sales (a birthday, a complaint). Only a hold-out tells that apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import FLAG, TEXT, WHOLE, query_frame
from analytics.period import Period, local_day
from analytics.rates import benjamini_hochberg, normal_quantile, rate
from journey.coupons import Coupon, CouponGrant
from journey.database import MONEY_SCALE
from journey.purchases import PosLine
from journey.stores import DEFAULT_TIMEZONE

DAYS = 14
ACTIVE_DAYS = 90
LEVELS = 4
"""Levels of spend in the time before, beside those who had spent nothing."""
FEW = 30
"""Customers on each side below which no effect is told."""

_SPEND = {"customer_id": TEXT, "day": WHOLE, "spend": pl.Float64}
_GRANTS = {
    "coupon_id": TEXT, "customer_id": TEXT, "at": WHOLE, "channel": TEXT, "redeemed": FLAG, "redeemed_channel": TEXT,
}  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """Yen per customer granted, with its 95 % interval, and how many were compared."""

    value: float
    low: float
    high: float
    granted: int
    compared: int
    p_value: float


def report(
    session: Session,
    *,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
    days: int = DAYS,
) -> dict[str, Any]:
    """The ``coupons`` report.

    Keys: coupons [{coupon_id, name, granted, redeemed, rate, low, high, elsewhere, effect, effect_low, effect_high,
    compared, q_value}], passages [{granted_on, redeemed_on, n}], days, notes. ``elsewhere`` is the share of
    redemptions on another channel than the grant's; ``effect`` is in the chain's currency per customer granted, and
    ``q_value`` corrects for looking at many coupons.
    """
    period = Period.of(start, end, timezone)
    grants = _grants(session, period, timezone)
    notes = [] if grants.height else ["No coupons were granted in this period."]
    spend = _spend(session) if grants.height else pl.DataFrame(schema=_SPEND)
    names = {row.coupon_id: row.name for row in session.execute(select(Coupon.coupon_id, Coupon.name))}
    rows: list[dict[str, Any]] = []
    for (coupon,), part in grants.group_by("coupon_id", maintain_order=True):
        effect = grant_effect(part, spend, days=days)
        used = part.filter(pl.col("redeemed"))
        share = rate(used.height, part.height)
        assert share is not None
        moved = used.filter(pl.col("channel") != pl.col("redeemed_channel")).height
        known = used.filter(pl.col("channel").is_not_null() & pl.col("redeemed_channel").is_not_null()).height
        rows.append(
            {
                "coupon_id": coupon, "name": names.get(str(coupon), str(coupon)), "granted": part.height,
                "redeemed": used.height, "rate": share.value, "low": share.low, "high": share.high,
                "elsewhere": moved / known if known else None,
                "effect": effect.value if effect else None, "effect_low": effect.low if effect else None,
                "effect_high": effect.high if effect else None, "compared": effect.compared if effect else 0,
                "p_value": effect.p_value if effect else None,
            }
        )  # fmt: skip
    told = [row for row in rows if row["p_value"] is not None]
    for row, q in zip(told, benjamini_hochberg([row.pop("p_value") for row in told]), strict=True):
        row["q_value"] = float(q)
    for row in rows:
        if row.pop("p_value", None) is None:
            row.setdefault("q_value", None)
    if rows and all(row["effect"] is None for row in rows):
        notes.append(
            f"No coupon has {FEW} customers on both sides with {days} days after the grant; no effect is told."
        )
    passages = (
        grants.filter(pl.col("redeemed"))
        .group_by(granted_on=pl.col("channel").fill_null("?"), redeemed_on=pl.col("redeemed_channel").fill_null("?"))
        .agg(n=pl.len())
        .sort("n", "granted_on", "redeemed_on", descending=[True, False, False])
    )
    return {"coupons": rows, "passages": passages.to_dicts(), "days": days, "notes": notes}


def grant_effect(grants: pl.DataFrame, spend: pl.DataFrame, *, days: int = DAYS) -> Effect | None:
    """What a grant changes in spend per customer over so many days; None where too few can be compared.

    grants: customer_id, day. spend: customer_id, day, spend (days since 1970). Grants whose days after are not over yet
    are left out.
    """
    if grants.is_empty() or spend.is_empty():
        return None
    last = max(spend["day"].to_list())
    cells = []
    for (day,), part in grants.group_by("day", maintain_order=True):
        if day + days - 1 <= last:
            near = grants.filter((pl.col("day") >= day - days) & (pl.col("day") < day + days))["customer_id"]
            cells.append(_compared(int(day), part["customer_id"], near, spend, days))
    if not cells:
        return None
    both = pl.concat(cells).filter((pl.col("granted") > 1) & (pl.col("others") > 1))
    granted, others = int(both["granted"].sum()), int(both["others"].sum())
    if granted < FEW or others < FEW:
        return None
    weight = both["granted"].to_numpy() / granted
    difference = (both["change"] - both["change_others"]).to_numpy()
    variance = (both["variance"] / both["granted"] + both["variance_others"] / both["others"]).to_numpy()
    value, error = float(weight @ difference), float(np.sqrt(weight**2 @ variance))
    half = normal_quantile(0.95) * error
    p_value = float(2 * stats.norm.sf(abs(value) / error)) if error > 0 else 1.0
    return Effect(value, value - half, value + half, granted, others, p_value)


def _compared(day: int, granted: pl.Series, near: pl.Series, spend: pl.DataFrame, days: int) -> pl.DataFrame:
    """Per level of usual spend: how many on each side, and mean and variance of their changes."""
    around = spend.filter((pl.col("day") >= day - ACTIVE_DAYS) & (pl.col("day") < day + days))
    before = pl.col("day").is_between(day - days, day - 1)
    people = around.group_by("customer_id").agg(
        active=(pl.col("day") < day).any(),
        usual=pl.col("spend").filter(pl.col("day") < day - days).sum(),
        before=pl.col("spend").filter(before).sum(),
        after=pl.col("spend").filter(pl.col("day") >= day).sum(),
    )
    mine = pl.col("customer_id").is_in(granted.implode())
    others = ~pl.col("customer_id").is_in(near.implode())
    people = people.filter(pl.col("active") & (mine | others)).with_columns(mine=mine)
    spent = people.filter(pl.col("usual") > 0)["usual"]
    edges = [0.0, *(float(spent.quantile(q / LEVELS) or 0.0) for q in range(1, LEVELS))] if len(spent) else [0.0]
    level = pl.sum_horizontal(*((pl.col("usual") > edge).cast(pl.Int32) for edge in edges))
    change = pl.col("after") - pl.col("before")
    side = (
        people.with_columns(level=level, change=change)
        .group_by("level", "mine")
        .agg(n=pl.len(), mean=pl.col("change").mean(), variance=pl.col("change").var())
    )
    treated = side.filter(pl.col("mine")).select("level", granted="n", change="mean", variance="variance")
    control = side.filter(~pl.col("mine")).select("level", others="n", change_others="mean", variance_others="variance")
    return treated.join(control, on="level")


def _spend(session: Session) -> pl.DataFrame:
    amount = type_coerce(func.sum(type_coerce(PosLine.amount, BigInteger)), BigInteger)
    statement = (
        select(PosLine.customer_id, PosLine.local_day, amount)
        .where(PosLine.customer_id.is_not(None))
        .group_by(PosLine.customer_id, PosLine.local_day)
    )
    return query_frame(session, statement, _SPEND).with_columns(pl.col("spend") / MONEY_SCALE)


def _grants(session: Session, period: Period, timezone: str) -> pl.DataFrame:
    statement = (
        select(
            CouponGrant.coupon_id, CouponGrant.customer_id, type_coerce(CouponGrant.granted_at, BigInteger),
            CouponGrant.channel, CouponGrant.redeemed_at.is_not(None), CouponGrant.redeemed_channel,
        )
        .where(period.covers(CouponGrant.granted_at))
        .order_by(CouponGrant.coupon_id, CouponGrant.granted_at, CouponGrant.customer_ref)
    )  # fmt: skip
    found = query_frame(session, statement, _GRANTS)
    day_of = {at: local_day(at, timezone) for at in found["at"].unique().to_list()}
    return found.with_columns(day=pl.col("at").replace_strict(day_of, default=None, return_dtype=pl.Int64))
